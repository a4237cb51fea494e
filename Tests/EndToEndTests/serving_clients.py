"""Asks an endpoint with the clients that people use: Triton's, KServe's, OpenAI's.

Run by test_serving_clients.py in an environment of its own. Prints one line of JSON with what it saw.
"""

import asyncio
import json
import sys

import numpy as np

which, url, model, authority = sys.argv[1:5]
rows = np.array([[6.8, 2.8, 4.8, 1.4], [5.1, 3.5, 1.4, 0.2]], np.float64)
seen: dict = {}


def triton() -> None:
    import gevent.ssl
    import tritonclient.http as http

    client = http.InferenceServerClient(
        url.removeprefix("https://") + f"/{model}",
        ssl=True,
        ssl_options={"ca_certs": authority},
        ssl_context_factory=lambda: gevent.ssl.create_default_context(cafile=authority),
    )
    seen["live"], seen["ready"] = client.is_server_live(), client.is_server_ready()
    seen["modelReady"], seen["otherReady"] = client.is_model_ready(model), client.is_model_ready("other")
    seen["metadata"] = client.get_model_metadata(model)
    name = seen["metadata"]["inputs"][0]["name"]
    output = seen["metadata"]["outputs"][0]["name"]
    for binary in (False, True):
        tensor = http.InferInput(name, list(rows.shape), "FP64")
        tensor.set_data_from_numpy(rows, binary_data=binary)
        answer = client.infer(
            model, [tensor], outputs=[http.InferRequestedOutput(output, binary_data=binary)], request_id="seven"
        )
        seen["binary" if binary else "json"] = answer.as_numpy(output).tolist()
        assert answer.get_response()["id"] == "seven"
    try:
        tensor = http.InferInput(name, [2, 3], "FP64")
        tensor.set_data_from_numpy(rows[:, :3])
        client.infer(model, [tensor])
    except Exception as error:
        seen["refused"] = [error.status(), error.message()]
    client.close()


def grpc() -> None:
    """Triton's other client; the address is a pod's."""
    import tritonclient.grpc as grpc

    client = grpc.InferenceServerClient(url)
    seen["live"], seen["ready"] = client.is_server_live(), client.is_server_ready()
    seen["modelReady"] = client.is_model_ready(model)
    metadata = client.get_model_metadata(model, as_json=True)
    seen["metadata"] = metadata
    tensor = grpc.InferInput("x", list(rows.shape), "FP64")
    tensor.set_data_from_numpy(rows)
    answer = client.infer(model, [tensor], request_id="seven")
    seen["answer"] = answer.as_numpy(metadata["outputs"][0]["name"]).tolist()
    assert answer.get_response().id == "seven"
    seen["refused"] = []
    for name, shape in ((model, [2, 3]), ("other", [2, 4])):
        tensor = grpc.InferInput("x", shape, "FP64")
        tensor.set_data_from_numpy(rows[:, : shape[1]])
        try:
            client.infer(name, [tensor])
        except Exception as error:
            seen["refused"].append([error.status(), error.message()])
    big = grpc.InferInput("x", [300_000, 4], "FP64")
    big.set_data_from_numpy(np.repeat(rows[:1], 300_000, axis=0))
    seen["big"] = int(client.infer(model, [big]).as_numpy(metadata["outputs"][0]["name"]).sum())
    client.close()


def kserve() -> None:
    from kserve import InferenceRESTClient, RESTConfig
    from kserve.protocol.infer_type import InferInput, InferRequest

    async def ask() -> None:
        for protocol in ("v1", "v2"):
            client = InferenceRESTClient(RESTConfig(protocol=protocol, verify=authority))
            base = f"{url}/{model}"
            seen[f"{protocol}Ready"] = await client.is_model_ready(base, model)
            if protocol == "v1":
                seen["v1"] = await client.infer(base, {"instances": rows.tolist()}, model_name=model)
            else:
                tensor = InferInput("x", list(rows.shape), "FP64")
                tensor.set_data_from_numpy(rows, binary_data=True)
                answer = await client.infer(base, InferRequest(model, [tensor]), model_name=model)
                seen["v2"] = answer.outputs[0].as_numpy().tolist()
                seen["live"] = await client.is_server_live(base)

    asyncio.run(ask())


def openai() -> None:
    import httpx
    from openai import BadRequestError, OpenAI

    import ssl

    context = ssl.create_default_context(cafile=authority)
    client = OpenAI(
        base_url=f"{url}/{model}/openai/v1", api_key="none", http_client=httpx.Client(verify=context), max_retries=0
    )
    seen["models"] = [item.id for item in client.models.list()]
    whole = client.completions.create(model=model, prompt="the cat", max_tokens=8, temperature=0)
    seen["text"], seen["finish"] = whole.choices[0].text, whole.choices[0].finish_reason
    seen["usage"] = whole.usage.model_dump()
    stream = client.completions.create(model=model, prompt="the cat", max_tokens=8, temperature=0, stream=True)
    chunks = [chunk.choices[0].text for chunk in stream if chunk.choices]
    seen["chunks"], seen["streamed"] = len(chunks), "".join(chunks)
    messages = [{"role": "user", "content": "the dog"}]
    chat = client.chat.completions.create(model=model, messages=messages, max_tokens=8, temperature=0)
    seen["chat"] = [chat.choices[0].message.role, chat.choices[0].message.content]
    stream = client.chat.completions.create(
        model=model, messages=messages, max_tokens=8, temperature=0, stream=True
    )
    seen["chatStreamed"] = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
    try:
        client.completions.create(model=model, prompt="x", max_tokens=-1)
    except BadRequestError as error:
        seen["refused"] = [error.status_code, error.body]


{"triton": triton, "grpc": grpc, "kserve": kserve, "openai": openai}[which]()
print("SEEN " + json.dumps(seen))
