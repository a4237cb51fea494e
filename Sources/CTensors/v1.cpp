#include "plain.hpp"
#include "walk.hpp"

#include <cmath>

using namespace takumi;

namespace {

/// Takes numbers as INT64 for as long as all are whole, booleans as BOOL.
class Numbers {
public:
    Numbers(Cursor &cursor, Bytes &values) : cursor(cursor), values(values) {}

    int datatype() const { return kind; }

    bool take() {
        switch (cursor.kind()) {
        case '"':
        case '{':
        case 'n': return false;
        case 't':
        case 'f': {
            const bool value = cursor.kind() == 't';
            cursor.skip();
            if (kind < 0) kind = TAKUMI_BOOL;
            if (kind != TAKUMI_BOOL) return false;
            values.append<uint8_t>(value);
            return true;
        }
        default: break;
        }
        if (kind == TAKUMI_BOOL) return false;
        const Number number = read_number(cursor);
        if (number.kind == Number::whole && kind != TAKUMI_FP64) {
            kind = TAKUMI_INT64;
            values.append(number.integer);
            return true;
        }
        // The worker's own language knows whole numbers of any size; a double would change them.
        if (number.kind == Number::large && kind != TAKUMI_FP64) return false;
        if (!std::isfinite(number.value)) return false;
        if (kind == TAKUMI_INT64) widen();
        kind = TAKUMI_FP64;
        values.append(number.value);
        return true;
    }

    int64_t run() {
        // Which kind they are, the first one says.
        if (kind == TAKUMI_FP64) return take_plain<double, double>(cursor, values);
        return kind == TAKUMI_INT64 ? take_plain<int64_t, int64_t>(cursor, values) : 0;
    }

private:
    void widen() {
        for (size_t at = 0; at < values.size(); at += 8) {
            int64_t whole;
            memcpy(&whole, values.data() + at, 8);
            const double value = double(whole);
            memcpy(values.data() + at, &value, 8);
        }
    }

    Cursor &cursor;
    Bytes &values;
    int kind = -1;
};

/// Steps over an array and counts its elements.
int64_t elements(Cursor &cursor) {
    int64_t count = 0;
    for (bool more = cursor.enter(']'); more; more = cursor.more(']'), count++) cursor.skip();
    return count;
}

int parse(takumi_parser &parser, takumi_tensor &result, int64_t &rows) {
    auto &cursor = parser.cursor;
    if (cursor.kind() != '{') cursor.unexpected("an object");
    bool found = false, regular = false;
    int others = 0;
    rows = 1;
    for (bool inside = cursor.enter('}'); inside; inside = cursor.more('}')) {
        const auto key = cursor.key();
        const bool is_instances = parser.is_key(key, "instances");
        const bool is_inputs = !is_instances && parser.is_key(key, "inputs");
        if (!is_instances && !is_inputs) {
            others++;
            cursor.skip();
            continue;
        }
        if (cursor.kind() != '[') {
            cursor.skip();
            fail("Expected \"%s\" to be a list", is_instances ? "instances" : "inputs");
        }
        // The same key twice: the worker's JSON decides which one counts.
        others += found || is_inputs;
        found = true;
        if (others) {
            rows = elements(cursor);
            continue;
        }
        const size_t start = cursor.position();
        parser.tensors.emplace_back();
        auto &tensor = parser.tensors.back();
        Numbers numbers(cursor, parser.values);
        Walk walk(cursor, numbers);
        regular = walk.array() && numbers.datatype() >= 0;
        if (regular) {
            std::copy(walk.shape, walk.shape + walk.rank, tensor.dims);
            static_cast<takumi_tensor &>(tensor) = {
                {"instances", 9}, numbers.datatype(), walk.rank, tensor.dims, parser.values.data(), 0, parser.values.size()};
            rows = tensor.dims[0];
        } else {
            cursor.seek(start);
            rows = elements(cursor);
        }
    }
    cursor.end();
    if (!found) fail("'instances' is missing: send {\"instances\": [..]} with one element per instance");
    if (!regular || others) return TAKUMI_JSON;
    result = parser.tensors.front();
    return TAKUMI_TENSOR;
}

} // namespace

int takumi_parse_v1(takumi_parser *parser, const char *json, size_t length, takumi_tensor *tensor, int64_t *rows) {
    return parser->run([&] {
        parser->begin(json, length);
        return parse(*parser, *tensor, *rows);
    });
}
