"""Answers inference requests with a model of one framework, for the model server that started it.

    python serving --takumi-framework F --takumi-name NAME --takumi-model-dir DIR --takumi-scratch DIR
                   [--PARAMETER VALUE …]

The model server listens on the Unix socket TAKUMI_WORKER_SOCKET, and speaks HTTP and gRPC to clients. Here tensors come
in as bytes and go out as bytes: `link` has the frames, `calls` what is done with them, and each framework a module.
"""
