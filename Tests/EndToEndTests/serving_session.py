"""What a user of the vendor's SDK does to serve a model: the steps of its sample notebook, and what else its classes offer.

Run by test_serving_sdk.py in a process of its own. Prints one line of JSON with what it saw.
"""

import json
import sys

import easymaker
from easymaker.common.exceptions import EasyMakerError

artifact = sys.argv[1]
seen: dict = {}

model = easymaker.Model().create(
    model_name="iris",
    model_format_code=easymaker.ModelFormatCode.SKLEARN,
    model_upload_uri=artifact,
    description="from the SDK",
    parameter_list=[{"parameterName": "method", "parameterValue": "predict"}],
)
seen["model"] = model.model_dump()
assert easymaker.Model(model_id=model.id).name == "iris"
assert [item.id for item in easymaker.Model().get_list()] == [model.id]

names = [item.name for item in easymaker.Endpoint.get_instance_type_list()]
assert "m2.c2m4" in names, names

endpoint = easymaker.Endpoint().create(
    endpoint_name="sample",
    description="an endpoint of the SDK",
    endpoint_model_resource_list=[
        easymaker.EndpointModelResource(
            model_id=model.model_id,
            pod_auto_scale_enable=True,
            scale_metric_code=easymaker.ScaleMetricCode.CPU_UTILIZATION,
            scale_metric_target=50,
            resource_option_detail=easymaker.ResourceOptionDetail(cpu="1.0", memory="2048Mi"),
        )
    ],
    instance_type_name="m2.c2m4",
    instance_count=1,
    autoscaler_enable=True,
    autoscaler_min_node_count=1,
    autoscaler_max_node_count=3,
    use_log=True,
)
seen["endpoint"] = endpoint.model_dump()
rows = [[6.8, 2.8, 4.8, 1.4], [5.1, 3.5, 1.4, 0.2]]
model_id = endpoint.default_stage.endpoint_model_list[0].model_id
seen["v1"] = endpoint.predict(model_id=model_id, json={"instances": rows})
tensor = {"name": "x", "shape": [2, 4], "datatype": "FP64", "data": rows}
seen["v2"] = endpoint.predict(model_id=model_id, json={"inputs": [tensor]})

assert [item.id for item in easymaker.Endpoint.get_list()] == [endpoint.id]
read = easymaker.Endpoint(endpoint_id=endpoint.endpoint_id)
seen["predictedAgain"] = read.predict(model_id=model_id, json={"instances": rows})

stage = easymaker.EndpointStage().create(
    stage_name="blue",
    endpoint_id=endpoint.id,
    instance_type_name="m2.c2m4",
    endpoint_model_resource_list=[
        easymaker.EndpointModelResource(
            model_id=model.model_id,
            resource_option_detail=easymaker.ResourceOptionDetail(cpu="0.5", memory="512Mi"),
        )
    ],
)
stage = easymaker.EndpointStage(endpoint_stage_id=stage.id)
seen["stage"] = stage.model_dump()
seen["onStage"] = stage.predict(model_id=model_id, json={"instances": rows})
resource = stage.endpoint_model_list[0]
seen["resource"] = easymaker.EndpointModel(endpoint_model_id=resource.id).model_dump()
seen["stages"] = sorted(item.apigw_stage_name for item in endpoint.get_stage_list())

for refused in (model.delete, endpoint.delete):
    try:
        refused()
        raise SystemExit("was not refused")
    except EasyMakerError as error:
        seen.setdefault("refused", []).append(str(error))
stage.delete()
print("SEEN " + json.dumps(seen))
