#include "elements.hpp"
#include "walk.hpp"

#include <unordered_set>

using namespace takumi;

namespace {

std::string quoted(takumi_text text) { return text.start ? std::string(text.start, text.length) : std::string(); }

std::string shape_text(const int64_t *shape, int rank) {
    std::string text = "(";
    for (int i = 0; i < rank; i++) text += (i ? "," : "") + std::to_string(shape[i]);
    return text + ")";
}

/// Each takes a kilobyte here, of whatever size it is in the body.
constexpr size_t most_inputs = 4096;

class Request {
public:
    Request(takumi_parser &parser, const char *model, size_t binary_begin, size_t binary_end, bool binary)
        : parser(parser), cursor(parser.cursor), model(model), binary_at(binary_begin), binary_end(binary_end),
          binary(binary) {}

    void read(takumi_v2 &result) {
        if (cursor.kind() != '{') cursor.unexpected("an object");
        bool has_inputs = false;
        result.binary = -1;
        for (bool inside = cursor.enter('}'); inside; inside = cursor.more('}')) {
            const auto key = cursor.key();
            if (parser.is_key(key, "id")) {
                result.id = optional_string("'id'");
            } else if (parser.is_key(key, "inputs")) {
                if (cursor.kind() != '[') refuse("'inputs'", "send a list of inputs");
                has_inputs = true;
                parser.inputs.clear();
                for (bool more = cursor.enter(']'); more; more = cursor.more(']')) read_input();
            } else if (parser.is_key(key, "outputs")) {
                read_outputs();
            } else if (parser.is_key(key, "parameters")) {
                const size_t position = cursor.position();
                result.parameters = parser.object("'parameters'");
                result.binary = flag_in(position, "binary_data_output");
            } else {
                cursor.skip();
            }
        }
        cursor.end();
        if (!has_inputs) fail("'inputs' field is missing: send a list with at least one input");
        if (parser.inputs.empty()) fail("'inputs' is empty: send at least one input");
        if (binary_at < binary_end)
            fail("%zu bytes of binary data belong to no input: 'binary_data_size' of the inputs adds up to less",
                binary_end - binary_at);
        settle();
    }

private:
    [[noreturn]] void refuse(const std::string &what, const char *remedy) {
        const auto value = cursor.skip();
        fail("%s is %.*s; %s", what.c_str(), int(std::min(value.size(), size_t(40))), value.data(), remedy);
    }

    takumi_text optional_string(const char *name) {
        if (cursor.kind() == '"') return parser.string();
        const auto value = cursor.skip();
        if (value != "null") fail("%s is %.*s; send a string", name, int(std::min(value.size(), size_t(40))), value.data());
        return {nullptr, 0};
    }

    /// Looks for a boolean in the object at `position`, which has been stepped over, and comes back.
    int flag_in(size_t position, const char *name) {
        const size_t after = cursor.position();
        int flag = -1;
        cursor.seek(position);
        if (cursor.kind() == '{') {
            for (bool inside = cursor.enter('}'); inside; inside = cursor.more('}')) {
                const bool here = parser.is_key(cursor.key(), name);
                const auto value = cursor.skip();
                if (here && value != "true" && value != "false")
                    fail("'%s' is %.*s; send true or false", name, int(std::min(value.size(), size_t(40))), value.data());
                if (here) flag = value == "true";
            }
        }
        cursor.seek(after);
        return flag;
    }

    void read_outputs() {
        if (cursor.kind() == 'n') {
            cursor.skip();
            return;
        }
        if (cursor.kind() != '[') refuse("'outputs'", "send a list of outputs");
        for (bool more = cursor.enter(']'); more; more = cursor.more(']')) {
            takumi_v2_output output{{nullptr, 0}, -1};
            if (cursor.kind() != '{') refuse("an element of 'outputs'", "send an object with a name");
            for (bool inside = cursor.enter('}'); inside; inside = cursor.more('}')) {
                const auto key = cursor.key();
                if (parser.is_key(key, "name")) {
                    output.name = optional_string("an output's 'name'");
                } else if (parser.is_key(key, "parameters")) {
                    const size_t position = cursor.position();
                    parser.object("an output's 'parameters'");
                    output.binary = flag_in(position, "binary_data");
                } else {
                    cursor.skip();
                }
            }
            if (!output.name.start) fail("'name' field is missing for a requested output");
            parser.outputs.push_back(output);
        }
    }

    /// An input's fields, wherever they stand.
    struct Fields {
        takumi_text name{nullptr, 0}, datatype{nullptr, 0};
        size_t data = 0;
        int64_t binary_size = -1;
        Tensor *tensor;
        bool has_shape = false;
        /// Whether the data have been read as what the other fields say, which were before them.
        bool taken = false;
    };

    void read_input() {
        if (parser.inputs.size() == most_inputs) fail("more than %zu inputs", most_inputs);
        if (cursor.kind() != '{') refuse("an element of 'inputs'", "send an object with name, shape, datatype and data");
        parser.tensors.emplace_back();
        Fields fields;
        fields.tensor = &parser.tensors.back();
        for (bool inside = cursor.enter('}'); inside; inside = cursor.more('}')) {
            const auto key = cursor.key();
            if (parser.is_key(key, "name")) {
                fields.name = optional_string("an input's 'name'");
            } else if (parser.is_key(key, "datatype")) {
                fields.datatype = optional_string("an input's 'datatype'");
            } else if (parser.is_key(key, "shape")) {
                read_shape(fields);
            } else if (parser.is_key(key, "parameters")) {
                read_parameters(fields);
            } else if (parser.is_key(key, "data")) {
                fields.data = cursor.kind() == 'n' ? 0 : cursor.position();
                if (fields.data && !binary && fields.name.start && fields.datatype.start && fields.has_shape) {
                    take_json(fields, describe(fields));
                    fields.taken = true;
                    continue;
                }
                // Its datatype may follow it, and is waited for.
                skip_data();
            } else {
                cursor.skip();
                continue;
            }
            fields.taken = false;
        }
        finish(fields);
    }

    /// Steps over data without looking at its elements: those are checked when they are read.
    void skip_data() {
        if (cursor.kind() != '[') {
            cursor.skip();
            return;
        }
        int depth = 0;
        do {
            const char kind = cursor.kind();
            if (kind == 0) cursor.unexpected("',' or ']'");
            depth += (kind == '[') - (kind == ']');
            cursor.advance();
        } while (depth > 0);
    }

    void read_shape(Fields &fields) {
        const std::string what = "input '" + quoted(fields.name) + "': 'shape'";
        if (cursor.kind() != '[') refuse(what, "send a list of whole numbers");
        Tensor &tensor = *fields.tensor;
        tensor.rank = 0;
        for (bool more = cursor.enter(']'); more; more = cursor.more(']')) {
            if (tensor.rank == TAKUMI_MAX_RANK) fail("%s has more than %d axes", what.c_str(), TAKUMI_MAX_RANK);
            const int64_t size = parser.whole((what + " has an axis that").c_str());
            if (size < 0) fail("%s has the negative axis %lld", what.c_str(), (long long)size);
            tensor.dims[tensor.rank++] = size;
        }
        fields.has_shape = true;
    }

    void read_parameters(Fields &fields) {
        const size_t position = cursor.position();
        parser.object("an input's 'parameters'");
        const size_t after = cursor.position();
        cursor.seek(position);
        if (cursor.kind() == '{') {
            for (bool inside = cursor.enter('}'); inside; inside = cursor.more('}')) {
                if (parser.is_key(cursor.key(), "binary_data_size"))
                    fields.binary_size = parser.whole("'binary_data_size'");
                else
                    cursor.skip();
            }
        }
        cursor.seek(after);
    }

    /// Fills in the tensor as far as it is without its data, and returns how many elements those must be.
    int64_t describe(const Fields &fields) {
        Tensor &tensor = *fields.tensor;
        if (!fields.name.start) fail("'name' field is missing for an input for model '%s'", model);
        const std::string name = quoted(fields.name);
        if (!fields.has_shape) fail("'shape' field is missing for input '%s' for model '%s'", name.c_str(), model);
        if (!fields.datatype.start) fail("'datatype' field is missing for input '%s' for model '%s'", name.c_str(), model);
        tensor.name = fields.name;
        tensor.shape = tensor.dims;
        tensor.datatype = takumi_datatype(fields.datatype.start, fields.datatype.length);
        if (tensor.datatype < 0)
            fail("invalid datatype %.*s in the input '%s': send BOOL, INT8 to INT64, UINT8 to UINT64, FP16, BF16, FP32, FP64 "
                 "or BYTES",
                int(std::min(fields.datatype.length, size_t(40))), fields.datatype.start, name.c_str());
        int64_t count = 1;
        for (int i = 0; i < tensor.rank; i++)
            if (__builtin_mul_overflow(count, tensor.dims[i], &count) || count > (int64_t(1) << 40))
                fail("input '%s': shape %s has too many elements", name.c_str(),
                    shape_text(tensor.dims, tensor.rank).c_str());
        return count;
    }

    void finish(const Fields &fields) {
        if (!fields.taken) {
            const int64_t count = describe(fields);
            const std::string name = quoted(fields.name);
            if (binary && fields.binary_size >= 0) {
                take_binary(*fields.tensor, name, fields.binary_size, count);
            } else if (fields.data) {
                const size_t after = cursor.position();
                cursor.seek(fields.data);
                take_json(fields, count);
                cursor.seek(after);
            } else if (!binary && fields.binary_size >= 0) {
                fail("received byte inputs, but the'inference-header-content-length' header is missing.");
            } else {
                fail("'data' field is missing for input '%s' for model '%s'", name.c_str(), model);
            }
        }
        parser.inputs.push_back(*fields.tensor);
    }

    void take_json(const Fields &fields, int64_t count) {
        Tensor &tensor = *fields.tensor;
        const std::string name = quoted(fields.name);
        if (tensor.datatype == TAKUMI_FP16 || tensor.datatype == TAKUMI_BF16)
            fail("Sending %s data via JSON is not supported. Please use the binary data format for input %s",
                takumi_datatype_name(tensor.datatype), name.c_str());
        if (cursor.kind() != '[') refuse("input '" + name + "': 'data'", "send a list");
        const size_t begin = parser.values.size();
        Elements elements(parser, tensor.datatype, name);
        Walk walk(cursor, elements);
        if (!walk.array()) fail("input '%s': 'data' is ragged: send a flat list, or lists nested as the shape says", name.c_str());
        if (elements.index != count)
            fail("input '%s': cannot reshape array of size %lld into shape %s", name.c_str(), (long long)elements.index,
                shape_text(tensor.dims, tensor.rank).c_str());
        // Marks it: where the values lie is known only after the last input.
        tensor.data = &parser.values;
        tensor.offset = begin;
        tensor.size = parser.values.size() - begin;
    }

    void take_binary(Tensor &tensor, const std::string &name, int64_t size, int64_t count) {
        if (size_t(size) > binary_end - binary_at)
            fail("input '%s': 'binary_data_size' is %lld, but only %zu bytes follow the JSON: the body is cut off",
                name.c_str(), (long long)size, binary_end - binary_at);
        const size_t width = takumi_datatype_size(tensor.datatype);
        if (width && size_t(size) != width * size_t(count))
            fail("input '%s': cannot reshape array of size %lld into shape %s: %lld bytes of %s", name.c_str(),
                (long long)(size / width), shape_text(tensor.dims, tensor.rank).c_str(), (long long)size,
                takumi_datatype_name(tensor.datatype));
        tensor.data = nullptr;
        tensor.offset = binary_at;
        tensor.size = size_t(size);
        binary_at += size_t(size);
        if (!width && takumi_bytes_extent(parser.cursor.base() + tensor.offset, tensor.size, count) != size)
            fail("input '%s': its %lld bytes are not %lld BYTES elements, each a length of four bytes and as many bytes",
                name.c_str(), (long long)size, (long long)count);
    }

    void settle() {
        std::unordered_set<std::string_view> names;
        for (size_t i = 0; i < parser.inputs.size(); i++) {
            takumi_tensor &input = parser.inputs[i];
            if (parser.inputs.size() > 1 && !names.insert({input.name.start, input.name.length}).second)
                fail("input '%s' is there twice", quoted(input.name).c_str());
            if (input.data) input.data = parser.values.data() + input.offset;
        }
    }

    takumi_parser &parser;
    Cursor &cursor;
    const char *model;
    size_t binary_at, binary_end;
    bool binary;
};

} // namespace

int takumi_parse_v2(
    takumi_parser *parser, const char *body, size_t length, size_t json_length, bool binary, const char *model,
    takumi_v2 *request) {
    return parser->run([&] {
        parser->begin(body, json_length);
        *request = {};
        Request(*parser, model, json_length, length, binary).read(*request);
        request->inputs = parser->inputs.data();
        request->input_count = parser->inputs.size();
        request->outputs = parser->outputs.data();
        request->output_count = parser->outputs.size();
        return 0;
    });
}
