"""Trains a small network on the iris flowers with PyTorch: alone, or data-parallel when started by torchrun.

Everything comes from the environment that Takumi gives a training; each variable may be absent, so that the script
also runs by hand: `python train.py --epochs 10`.
"""

import argparse
import csv
import os
import sys
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

SPECIES = ["setosa", "versicolor", "virginica"]
HERE = Path(__file__).resolve().parent


class Iris(nn.Module):
    """Takes the four lengths in centimetres as they are: it knows the scale of its training data."""

    def __init__(self, mean: torch.Tensor, std: torch.Tensor):
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("std", std)
        self.layers = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers((x - self.mean) / self.std)


def read(variable: str, default: str) -> TensorDataset:
    """Reads every CSV below the folder of a dataset; the first line of each names its columns."""
    folder = Path(os.environ.get(variable, HERE / "data" / default))
    files = sorted(folder.rglob("*.csv"))
    if not files:
        raise SystemExit(f"no CSV file in {folder}: {variable} must name a folder that has one")
    rows = [row for file in files for row in csv.DictReader(file.open(newline=""))]
    columns = [name for name in rows[0] if name != "species"]
    features = torch.tensor([[float(row[name]) for name in columns] for row in rows])
    labels = torch.tensor([SPECIES.index(row["species"]) for row in rows])
    return TensorDataset(features, labels)


def save(value, variable: str, name: str) -> None:
    """Writes into an output folder. Renamed into place: a stop in the middle leaves the former file whole."""
    if folder := os.environ.get(variable):
        target = Path(folder) / name
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_suffix(".partial")
        torch.save(value, partial)
        partial.rename(target)


def evaluate(model: nn.Module, data: TensorDataset) -> tuple[float, float]:
    features, labels = data.tensors
    model.eval()
    with torch.no_grad():
        logits = model(features)
    model.train()
    loss = nn.functional.cross_entropy(logits, labels).item()
    return loss, (logits.argmax(1) == labels).float().mean().item()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch_size", type=int, default=32)
    parser.add_argument("--lr", type=float, default=0.01)
    args, _ = parser.parse_known_args()

    torch.manual_seed(0)
    world, rank = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
    if world > 1:
        dist.init_process_group("gloo")

    train, test = read("EM_DATASET_TRAIN", "train"), read("EM_DATASET_TEST", "test")
    features = train.tensors[0]
    model = Iris(features.mean(0), features.std(0))
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
    first = 1
    if (folder := os.environ.get("EM_CHECKPOINT_INPUT_DIR")) and (file := Path(folder, "checkpoint.pt")).exists():
        checkpoint = torch.load(file)
        model.load_state_dict(checkpoint["model"])
        optimizer.load_state_dict(checkpoint["optimizer"])
        first = checkpoint["epoch"] + 1
        print(f"resuming after epoch {checkpoint['epoch']}", flush=True)

    # DDP averages the gradients of all processes; each sees its own share of the rows.
    parallel = nn.parallel.DistributedDataParallel(model) if world > 1 else model
    sampler = DistributedSampler(train, world, rank) if world > 1 else None
    loader = DataLoader(train, args.batch_size, shuffle=sampler is None, sampler=sampler)
    writer = None
    if rank == 0 and (logs := os.environ.get("EM_TENSORBOARD_LOG_DIR")):
        from torch.utils.tensorboard import SummaryWriter  # Here, since only one process pays for the import.

        writer = SummaryWriter(logs)

    print(f"process {rank + 1} of {world}: {len(train)} rows, {args}", flush=True)
    for epoch in range(first, args.epochs + 1):
        if sampler:
            sampler.set_epoch(epoch)
        for x, y in loader:
            optimizer.zero_grad()
            nn.functional.cross_entropy(parallel(x), y).backward()
            optimizer.step()
        if rank == 0:
            loss, accuracy = evaluate(model, train)
            validation_loss, validation_accuracy = evaluate(model, test)
            print(f"epoch = {epoch} loss = {loss:.4f} accuracy = {accuracy:.4f}", flush=True)
            print(f"Validation-loss = {validation_loss:.4f}", flush=True)
            print(f"Validation-accuracy = {validation_accuracy:.4f}", flush=True)
            if writer:
                for name, value in [
                    ("train/loss", loss),
                    ("train/accuracy", accuracy),
                    ("validation/loss", validation_loss),
                    ("validation/accuracy", validation_accuracy),
                ]:
                    writer.add_scalar(name, value, epoch)
                writer.flush()
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch}
            save(state, "EM_CHECKPOINT_DIR", "checkpoint.pt")

    if rank == 0:
        if writer:
            writer.close()
        save(model.state_dict(), "EM_MODEL_DIR", "model_state.pt")
        if folder := os.environ.get("EM_MODEL_DIR"):
            torch.jit.script(model.eval()).save(str(Path(folder) / "model.pt"))
            print(f"model saved to {folder}", flush=True)
    if world > 1:
        dist.barrier()
        dist.destroy_process_group()
        # All is done. PyTorch 2.13 now and then aborts while Python shuts down after gloo ("terminate called without an
        # active exception"), which torchrun would take for a failed training.
        sys.stdout.flush()
        os._exit(0)


if __name__ == "__main__":
    main()
