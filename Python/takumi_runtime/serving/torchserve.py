"""What TorchServe hands to a handler besides the data, with its names."""


class Context:
    def __init__(self, name, folder, manifest, batch_size, gpu, config):
        self.model_name = name
        self.manifest = manifest
        self.model_yaml_config = config
        self._system_properties = {
            "model_dir": folder,
            "gpu_id": gpu,
            "batch_size": batch_size,
            # Of old, and compared by some handlers.
            "server_name": "MMS",
            "server_version": "0.12.0",
            "limit_max_image_pixels": True,
        }
        self.metrics = Metrics()
        self.request_ids = None
        self.request_processor = None
        self.stopping_criteria = None

    @property
    def system_properties(self):
        return self._system_properties

    def get_request_id(self, idx=0):
        return None if self.request_ids is None else self.request_ids.get(idx)

    def get_request_header(self, idx, key):
        return self.request_processor[idx].get_request_property(key)

    def get_all_request_header(self, idx):
        return self.request_processor[idx].get_request_properties()

    def get_sequence_id(self, idx):
        return self.get_request_header(idx, "ts_request_sequence_id")

    def set_response_content_type(self, idx, value):
        self.set_response_header(idx, "content-type", value)

    def get_response_content_type(self, idx):
        return self.get_response_headers(idx).get("content-type")

    def set_response_header(self, idx, key, value):
        self.request_processor[idx].add_response_property(key, value)

    def get_response_headers(self, idx):
        return self.request_processor[idx].get_response_headers()

    def get_response_status(self, idx):
        processor = self.request_processor[idx]
        return processor.get_response_status_code(), processor.get_response_status_phrase()

    def set_response_status(self, code=200, phrase="", idx=0):
        if self.request_processor is not None and self.request_processor[idx] is not None:
            self.request_processor[idx].report_status(code, phrase)

    def set_all_response_status(self, code=200, phrase=""):
        for processor in self.request_processor:
            processor.report_status(code, phrase)


class RequestProcessor:
    """The headers of a request and of its response."""

    def __init__(self, headers):
        self.headers = headers
        self.response, self.status, self.phrase = {}, 200, None

    def get_request_property(self, key):
        value = self.headers.get(key)
        # Names of headers come as the client wrote them.
        return self.headers.get(key.lower()) if value is None else value

    def get_request_properties(self):
        return self.headers

    def report_status(self, code, reason_phrase=None):
        self.status, self.phrase = code, reason_phrase

    def get_response_status_code(self):
        return self.status

    def get_response_status_phrase(self):
        return self.phrase

    def add_response_property(self, key, value):
        self.response[key] = value

    def get_response_headers(self):
        return self.response

    def get_response_header(self, key):
        return self.response.get(key)


class Metrics:
    """Takes every metric and keeps none: the model server counts requests and times, and a line per call costs both."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self.ignore

    def ignore(self, *values, **named):
        return self
