#include "include/ctensors.h"

#include <simdjson.h>

#include <charconv>
#include <cmath>
#include <cstring>

namespace {

float from_half(uint16_t bits) {
    const int exponent = bits >> 10 & 31;
    const int fraction = bits & 1023;
    const float value = exponent == 31 ? (fraction ? NAN : INFINITY)
        : exponent                     ? std::ldexp(float(fraction + 1024), exponent - 25)
                                       : std::ldexp(float(fraction), -24);
    return bits & 0x8000 ? -value : value;
}

float from_brain(uint16_t bits) {
    const uint32_t wide = uint32_t(bits) << 16;
    float value;
    memcpy(&value, &wide, sizeof value);
    return value;
}

template <class T> T load(const void *data, int64_t index) {
    T value;
    memcpy(&value, static_cast<const char *>(data) + index * sizeof(T), sizeof value);
    return value;
}

char *word(char *to, const char *text) {
    const size_t length = strlen(text);
    memcpy(to, text, length);
    return to + length;
}

template <class T> char *whole(char *to, T value) { return std::to_chars(to, to + 24, value).ptr; }

/// The shortest digits that read back as the same number, with a point so that it stays a float for Python.
template <class T> char *real(char *to, T value) {
    if (!std::isfinite(value)) return word(to, "null");
    char *end = std::to_chars(to, to + 32, value).ptr;
    for (const char *p = to; p < end; p++)
        if (*p == '.' || *p == 'e') return end;
    return word(end, ".0");
}

char *text(char *to, const char *from, size_t length) {
    *to++ = '"';
    for (const char *end = from + length; from < end; from++) {
        const auto byte = static_cast<unsigned char>(*from);
        if (byte >= 0x20 && byte != '"' && byte != '\\') {
            *to++ = char(byte);
            continue;
        }
        *to++ = '\\';
        switch (byte) {
        case '"':
        case '\\': *to++ = char(byte); break;
        case '\n': *to++ = 'n'; break;
        case '\r': *to++ = 'r'; break;
        case '\t': *to++ = 't'; break;
        default:
            to = word(to, "u00");
            *to++ = "0123456789abcdef"[byte >> 4];
            *to++ = "0123456789abcdef"[byte & 15];
        }
    }
    *to++ = '"';
    return to;
}

struct Elements {
    int datatype;
    const char *data;
    int64_t index = 0;
    bool failed = false;

    char *next(char *to) {
        const int64_t i = index++;
        switch (datatype) {
        case TAKUMI_BOOL: return word(to, data[i] ? "true" : "false");
        case TAKUMI_INT8: return whole(to, int(load<int8_t>(data, i)));
        case TAKUMI_INT16: return whole(to, load<int16_t>(data, i));
        case TAKUMI_INT32: return whole(to, load<int32_t>(data, i));
        case TAKUMI_INT64: return whole(to, load<int64_t>(data, i));
        case TAKUMI_UINT8: return whole(to, int(load<uint8_t>(data, i)));
        case TAKUMI_UINT16: return whole(to, load<uint16_t>(data, i));
        case TAKUMI_UINT32: return whole(to, load<uint32_t>(data, i));
        case TAKUMI_UINT64: return whole(to, load<uint64_t>(data, i));
        case TAKUMI_FP16: return real(to, from_half(load<uint16_t>(data, i)));
        case TAKUMI_BF16: return real(to, from_brain(load<uint16_t>(data, i)));
        case TAKUMI_FP32: return real(to, load<float>(data, i));
        case TAKUMI_FP64: return real(to, load<double>(data, i));
        default: break;
        }
        const uint32_t length = load<uint32_t>(data, 0);
        const char *bytes = data + sizeof length;
        data = bytes + length;
        failed = failed || !simdjson::validate_utf8(bytes, length);
        return failed ? to : text(to, bytes, length);
    }
};

char *flat(char *to, Elements &elements, int64_t count) {
    *to++ = '[';
    for (int64_t i = 0; i < count; i++) {
        if (i) *to++ = ',';
        to = elements.next(to);
    }
    *to++ = ']';
    return to;
}

char *nested(char *to, Elements &elements, const int64_t *shape, int rank) {
    if (rank == 0) return elements.next(to);
    if (rank == 1) return flat(to, elements, shape[0]);
    *to++ = '[';
    for (int64_t i = 0; i < shape[0]; i++) {
        if (i) *to++ = ',';
        to = nested(to, elements, shape + 1, rank - 1);
    }
    *to++ = ']';
    return to;
}

} // namespace

size_t takumi_json_bound(int datatype, size_t size, int64_t count, int64_t arrays) {
    // The longest of each with its comma: "-128,", "-1.17549435e-38,", "-2.2250738585072014e-308," and so on.
    static constexpr size_t longest[TAKUMI_DATATYPES] = {6, 5, 7, 12, 21, 4, 6, 11, 21, 18, 18, 18, 27, 3};
    return longest[datatype] * size_t(count) + (datatype == TAKUMI_BYTES ? 6 * size : 0) + 3 * size_t(arrays) + 40;
}

size_t takumi_write_flat(char *to, int datatype, const void *data, size_t, int64_t count) {
    Elements elements{datatype, static_cast<const char *>(data)};
    const size_t written = size_t(flat(to, elements, count) - to);
    return elements.failed ? 0 : written;
}

size_t takumi_write_nested(
    char *to, int datatype, const void *data, size_t, const int64_t *shape, int rank) {
    Elements elements{datatype, static_cast<const char *>(data)};
    const size_t written = size_t(nested(to, elements, shape, rank) - to);
    return elements.failed ? 0 : written;
}

size_t takumi_write_string(char *to, const char *from, size_t length) { return size_t(text(to, from, length) - to); }

bool takumi_is_utf8(const char *from, size_t length) { return simdjson::validate_utf8(from, length); }
