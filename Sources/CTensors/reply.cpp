#include "parser.hpp"

using namespace takumi;

namespace {

class Reply {
public:
    Reply(takumi_parser &parser, size_t body) : parser(parser), cursor(parser.cursor), body(body) {}

    void read(takumi_reply &reply) {
        if (cursor.kind() != '{') cursor.unexpected("an object");
        reply.call = -1;
        takumi_reply_item whole = empty();
        bool has_whole = false, has_items = false;
        for (bool inside = cursor.enter('}'); inside; inside = cursor.more('}')) {
            const auto key = cursor.key();
            if (key == "call") {
                reply.call = parser.whole("'call'");
            } else if (key == "items") {
                has_items = true;
                read_items();
            } else if (key == "chunk") {
                reply.chunk = cursor.skip() == "true";
            } else if (key == "end") {
                reply.end = cursor.skip() == "true";
            } else if (field(whole, key)) {
                has_whole = true;
            }
        }
        cursor.end();
        // Where the outputs' list lies is known only after the last one, since it grows.
        if (has_whole && !has_items) {
            parser.items.push_back(whole);
            ranges.push_back(current);
        }
        place();
        reply.whole = has_whole && !has_items ? parser.items.data() : nullptr;
        reply.items = has_items ? parser.items.data() : nullptr;
        reply.item_count = has_items ? parser.items.size() : 0;
        if (reply.call < 0) fail("a frame that belongs to no call");
        if (!reply.chunk && used != body)
            fail("a body of %zu bytes, of which the header tells %zu", body, used);
    }

private:
    struct Range {
        size_t begin = 0, count = 0;
    };

    static takumi_reply_item empty() {
        takumi_reply_item item{};
        item.json = -1;
        item.status = 500;
        return item;
    }

    void read_items() {
        if (cursor.kind() != '[') cursor.unexpected("a list");
        for (bool more = cursor.enter(']'); more; more = cursor.more(']')) {
            takumi_reply_item item = empty();
            current = {};
            if (cursor.kind() != '{') cursor.unexpected("an object");
            for (bool inside = cursor.enter('}'); inside; inside = cursor.more('}')) field(item, cursor.key());
            parser.items.push_back(item);
            ranges.push_back(current);
        }
        current = {};
    }

    bool field(takumi_reply_item &item, std::string_view key) {
        if (key == "outputs") {
            read_outputs();
        } else if (key == "json") {
            item.json = parser.whole("'json'");
            if (item.json < 0) fail("'json' is negative");
        } else if (key == "error") {
            if (cursor.kind() != '"') cursor.unexpected("a string");
            item.error = parser.string();
        } else if (key == "status") {
            item.status = parser.whole("'status'");
            if (item.status < 400 || item.status > 599) fail("a failed request with the status %lld", (long long)item.status);
        } else if (key == "type" || key == "param" || key == "code") {
            const auto value = cursor.skip();
            (key == "type" ? item.type : key == "param" ? item.param : item.code) = {value.data(), value.size()};
        } else if (key == "parameters") {
            item.parameters = parser.object("'parameters'");
        } else if (key == "contentType" && cursor.kind() == '"') {
            item.content_type = parser.string();
        } else {
            cursor.skip();
            return false;
        }
        return true;
    }

    void read_outputs() {
        if (cursor.kind() != '[') cursor.unexpected("a list");
        current.begin = parser.inputs.size();
        for (bool more = cursor.enter(']'); more; more = cursor.more(']')) {
            parser.tensors.emplace_back();
            Tensor &tensor = parser.tensors.back();
            static_cast<takumi_tensor &>(tensor) = {};
            tensor.datatype = -1;
            int64_t size = -1, count = 1;
            if (cursor.kind() != '{') cursor.unexpected("an object");
            for (bool inside = cursor.enter('}'); inside; inside = cursor.more('}')) {
                const auto key = cursor.key();
                if (key == "name" && cursor.kind() == '"') {
                    tensor.name = parser.string();
                } else if (key == "datatype" && cursor.kind() == '"') {
                    const auto name = cursor.string();
                    tensor.datatype = takumi_datatype(name.data(), name.size());
                } else if (key == "size") {
                    size = parser.whole("'size'");
                } else if (key == "shape" && cursor.kind() == '[') {
                    for (bool axis = cursor.enter(']'); axis; axis = cursor.more(']')) {
                        if (tensor.rank == TAKUMI_MAX_RANK) fail("an output with more than %d axes", TAKUMI_MAX_RANK);
                        const int64_t length = parser.whole("'shape'");
                        if (length < 0 || __builtin_mul_overflow(count, length, &count)) fail("an impossible shape");
                        tensor.dims[tensor.rank++] = length;
                    }
                } else {
                    cursor.skip();
                }
            }
            if (!tensor.name.start || tensor.datatype < 0 || size < 0)
                fail("an output without name, known datatype or size");
            const size_t width = takumi_datatype_size(tensor.datatype);
            if (width && (count > INT64_MAX / 8 || size_t(size) != width * size_t(count)))
                fail("output '%.*s' has %lld bytes, which is not what its shape and datatype ask for",
                    int(tensor.name.length), tensor.name.start, (long long)size);
            tensor.shape = tensor.dims;
            tensor.size = size_t(size);
            parser.inputs.push_back(tensor);
            current.count++;
        }
    }

    /// Gives every item its part of the body, in order.
    void place() {
        for (size_t i = 0; i < parser.items.size(); i++) {
            auto &item = parser.items[i];
            item.offset = used;
            item.outputs = parser.inputs.data() + ranges[i].begin;
            item.output_count = ranges[i].count;
            for (size_t o = 0; o < ranges[i].count; o++) {
                auto &output = parser.inputs[ranges[i].begin + o];
                output.offset = used;
                take(output.size);
            }
            if (item.json >= 0) take(size_t(item.json));
        }
    }

    void take(size_t size) {
        if (size > body - used) fail("a body of %zu bytes, of which the header tells more", body);
        used += size;
    }

    takumi_parser &parser;
    Cursor &cursor;
    const size_t body;
    size_t used = 0;
    Range current;
    std::vector<Range> ranges;
};

} // namespace

int takumi_parse_reply(
    takumi_parser *parser, const char *json, size_t length, size_t body_size, takumi_reply *reply) {
    return parser->run([&] {
        parser->begin(json, length);
        *reply = {};
        Reply(*parser, body_size).read(*reply);
        return 0;
    });
}
