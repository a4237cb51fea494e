"""KServe's Python server with a model of scikit-learn, as KServe's own sklearnserver has it."""

import sys

import joblib
from kserve import Model, ModelServer
from kserve.utils.utils import get_predict_input, get_predict_response


class SKLearnModel(Model):
    def __init__(self, name, path):
        super().__init__(name)
        self.model = joblib.load(path)
        self.ready = True

    def predict(self, payload, headers=None):
        return get_predict_response(payload, self.model.predict(get_predict_input(payload)), self.name)


if __name__ == "__main__":
    ModelServer(enable_grpc=False, enable_latency_logging=False).start([SKLearnModel("iris", sys.argv[1])])
