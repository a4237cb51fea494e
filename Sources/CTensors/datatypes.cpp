#include "include/ctensors.h"

#include <cstring>
#include <strings.h>

static constexpr struct {
    const char *name;
    size_t size;
} datatypes[TAKUMI_DATATYPES] = {
    {"BOOL", 1},   {"INT8", 1},   {"INT16", 2},  {"INT32", 4}, {"INT64", 8}, {"UINT8", 1}, {"UINT16", 2},
    {"UINT32", 4}, {"UINT64", 8}, {"FP16", 2},   {"BF16", 2},  {"FP32", 4},  {"FP64", 8},  {"BYTES", 0},
};

int takumi_datatype(const char *name, size_t length) {
    for (int i = 0; i < TAKUMI_DATATYPES; i++)
        if (strlen(datatypes[i].name) == length && strncasecmp(datatypes[i].name, name, length) == 0) return i;
    return -1;
}

const char *takumi_datatype_name(int datatype) { return datatypes[datatype].name; }
size_t takumi_datatype_size(int datatype) { return datatypes[datatype].size; }

int64_t takumi_bytes_extent(const void *data, size_t size, int64_t count) {
    const char *bytes = static_cast<const char *>(data);
    size_t at = 0;
    for (int64_t i = 0; i < count; i++) {
        uint32_t length;
        if (size - at < sizeof length) return -1;
        memcpy(&length, bytes + at, sizeof length);
        at += sizeof length;
        if (size - at < length) return -1;
        at += length;
    }
    return int64_t(at);
}
