#include "parser.hpp"

#include <algorithm>
#include <cmath>

using namespace takumi;

takumi_parser *takumi_parser_new(void) { return new (std::nothrow) takumi_parser; }
void takumi_parser_free(takumi_parser *parser) { delete parser; }
const char *takumi_parser_error(const takumi_parser *parser) { return parser->error.c_str(); }

void takumi_parser::begin(const char *json, size_t length) {
    values.clear();
    texts.clear();
    tensors.clear();
    inputs.clear();
    outputs.clear();
    items.clear();
    cursor.open(json, length);
}

takumi_text takumi_parser::keep(std::string_view escaped) {
    if (escaped.find('\\') == escaped.npos) return {escaped.data(), escaped.size()};
    texts.push_back(unescape(cursor, escaped));
    return {texts.back().data(), texts.back().size()};
}

bool takumi_parser::is_key(std::string_view key, std::string_view name) {
    if (key.find('\\') == key.npos) return key == name;
    return unescape(cursor, key) == name;
}

takumi_text takumi_parser::object(const char *name) {
    const char kind = cursor.kind();
    const size_t position = cursor.position();
    const auto value = cursor.skip();
    if (kind == '{') {
        check_scalars(name, position);
        return {value.data(), value.size()};
    }
    if (kind != 'n') fail("%s is %.*s; send a JSON object", name, int(std::min(value.size(), size_t(40))), value.data());
    return {nullptr, 0};
}

void takumi_parser::check_scalars(const char *name, size_t position) {
    const size_t end = cursor.position();
    cursor.seek(position);
    while (cursor.position() < end) {
        const char kind = cursor.kind();
        if (kind == '"') {
            const auto text = cursor.string();
            if (text.find('\\') != text.npos) unescape(cursor, text);
        } else if (kind == '-' || (kind >= '0' && kind <= '9')) {
            const char *number = cursor.token();
            const int shown = int(std::min(cursor.limit() - number, ptrdiff_t(40)));
            if (!std::isfinite(read_number(cursor).value))
                fail("%s has the number %.*s, which is out of range; send it as a string", name, shown, number);
        } else {
            cursor.advance();
        }
    }
}

int64_t takumi_parser::whole(const char *name) {
    const size_t position = cursor.position();
    const char kind = cursor.kind();
    if (kind == '-' || (kind >= '0' && kind <= '9')) {
        const auto number = read_number(cursor);
        if (number.kind == Number::whole) return number.integer;
        cursor.seek(position);
    }
    const auto value = cursor.skip();
    fail("%s is %.*s; send a whole number", name, int(std::min(value.size(), size_t(40))), value.data());
}

static int keys_of(takumi_parser &parser, takumi_outline &outline) {
    static constexpr std::pair<std::string_view, int> known[] = {
        {"instances", TAKUMI_KEY_INSTANCES},
        {"inputs", TAKUMI_KEY_INPUTS},
        {"prompt", TAKUMI_KEY_PROMPT},
        {"messages", TAKUMI_KEY_MESSAGES},
    };
    auto &cursor = parser.cursor;
    if (cursor.kind() != '{') cursor.unexpected("an object");
    // Said of only when all keys have been seen: they tell in which form.
    std::string_view wrong_model, wrong_stream;
    for (bool inside = cursor.enter('}'); inside; inside = cursor.more('}')) {
        const auto key = cursor.key();
        for (const auto &[name, bit] : known)
            if (parser.is_key(key, name)) outline.keys |= bit;
        const bool is_stream = parser.is_key(key, "stream");
        const bool is_model = parser.is_key(key, "model");
        if (is_model && cursor.kind() == '"') {
            outline.model = parser.string();
            continue;
        }
        const auto value = cursor.skip();
        if (is_model && value != "null") wrong_model = value.substr(0, 40);
        if (is_stream && value != "true" && value != "false" && value != "null") wrong_stream = value.substr(0, 40);
        if (is_stream) outline.stream = value == "true";
    }
    cursor.end();
    if (!wrong_model.empty()) fail("'model' is %.*s; send a string", int(wrong_model.size()), wrong_model.data());
    if (!wrong_stream.empty())
        fail("'stream' is %.*s; send true or false", int(wrong_stream.size()), wrong_stream.data());
    return 0;
}

int takumi_parse_outline(takumi_parser *parser, const char *json, size_t length, takumi_outline *outline) {
    return parser->run([&] {
        parser->begin(json, length);
        *outline = {};
        return keys_of(*parser, *outline);
    });
}
