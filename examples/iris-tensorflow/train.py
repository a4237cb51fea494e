"""Trains a small network on the iris flowers with Keras: alone, or on several workers when TF_CONFIG names them.

Everything comes from the environment that Takumi gives a training; each variable may be absent, so that the script
also runs by hand: `python train.py --epochs 10`.
"""

import argparse
import csv
import json
import os
import tempfile
from pathlib import Path

import numpy as np
import tensorflow as tf
import tf_keras as keras  # Keras 2, since Keras 3 cannot train on several workers (keras-team/keras#20585).

SPECIES = ["setosa", "versicolor", "virginica"]
HERE = Path(__file__).resolve().parent


def read(variable: str, default: str) -> tuple[np.ndarray, np.ndarray]:
    """Reads every CSV below the folder of a dataset; the first line of each names its columns."""
    folder = Path(os.environ.get(variable, HERE.parent / "iris" / "data" / default))
    files = sorted(folder.rglob("*.csv"))
    if not files:
        raise SystemExit(f"no CSV file in {folder}: {variable} must name a folder that has one")
    rows = [row for file in files for row in csv.DictReader(file.open(newline=""))]
    columns = [name for name in rows[0] if name != "species"]
    features = np.array([[float(row[name]) for name in columns] for row in rows], dtype=np.float32)
    return features, np.array([SPECIES.index(row["species"]) for row in rows], dtype=np.int32)


def build(features: np.ndarray, learning_rate: float) -> keras.Model:
    """Takes the four lengths in centimetres as they are: the first layer knows the scale of the training data."""
    scale = keras.layers.Normalization(mean=features.mean(0), variance=features.var(0))
    hidden = [keras.layers.Dense(32, activation="relu") for _ in range(2)]
    model = keras.Sequential([keras.Input((4,)), scale, *hidden, keras.layers.Dense(3, activation="softmax")])
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch_size", type=int, default=32, help="of all workers together")
    parser.add_argument("--learning_rate", "--lr", type=float, default=0.01)
    args, _ = parser.parse_known_args()

    # TF_CONFIG is there only when there is more than one worker. The strategy reads it and connects; it comes first,
    # since nothing may touch TensorFlow's runtime before it.
    config = json.loads(os.environ.get("TF_CONFIG", "{}"))
    strategy = tf.distribute.MultiWorkerMirroredStrategy() if config else tf.distribute.get_strategy()
    task = config.get("task", {"type": "worker", "index": 0})
    chief = task["type"] == "chief" or ("chief" not in config.get("cluster", {}) and task["index"] == 0)
    keras.utils.set_random_seed(0)

    train, test = read("EM_DATASET_TRAIN", "train"), read("EM_DATASET_TEST", "test")
    # Each worker reads all rows and keeps its share; sharding by file would need as many files as workers.
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    rows = tf.data.Dataset.from_tensor_slices(train).shuffle(len(train[0]), seed=0).batch(args.batch_size)
    validation = tf.data.Dataset.from_tensor_slices(test).batch(args.batch_size)

    with strategy.scope():
        model = build(train[0], args.learning_rate)
    callbacks = []
    if chief and (logs := os.environ.get("EM_TENSORBOARD_LOG_DIR")):
        callbacks.append(keras.callbacks.TensorBoard(logs))
    print(f"worker {task['index']}, chief: {chief}, {len(train[0])} rows, {args}", flush=True)
    model.fit(
        rows.with_options(options),
        validation_data=validation.with_options(options),
        epochs=args.epochs,
        callbacks=callbacks,
        verbose=2 if chief else 0,
    )

    # Every worker must take part in saving, and two must not write one folder: only the chief's copy is kept.
    if folder := os.environ.get("EM_MODEL_DIR"):
        with tempfile.TemporaryDirectory() as discarded:
            model.export(folder if chief else discarded)


if __name__ == "__main__":
    main()
