#include "parser.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace takumi {

void fail(const char *format, ...) {
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    const int length = vsnprintf(nullptr, 0, format, arguments);
    std::string sentence(length > 0 ? length : 0, 0);
    vsnprintf(sentence.data(), sentence.size() + 1, format, again);
    va_end(again);
    va_end(arguments);
    throw Failure{std::move(sentence)};
}

void Bytes::grow(size_t more) {
    if (used + more > most_values) throw Failure{"The request's tensors are larger than 1 GiB.", TAKUMI_TOO_LARGE};
    const size_t wanted = std::max({used + more, room * 2, size_t(4096)});
    char *larger = static_cast<char *>(realloc(memory.get(), wanted));
    if (!larger) throw std::bad_alloc();
    memory.release();
    memory.reset(larger);
    room = wanted;
}

void Bytes::clear() {
    used = 0;
    // One large body must not hold its memory for ever.
    if (room > (4 << 20)) {
        memory.reset();
        room = 0;
    }
}

static bool continues(unsigned char byte) { return (byte & 0xC0) == 0x80; }

/// The first byte that is not UTF-8, or the end. Slow and rarely asked for.
static const char *first_malformed(const char *text, size_t length) {
    size_t at = 0;
    while (at < length) {
        const auto lead = static_cast<unsigned char>(text[at]);
        size_t size = lead < 0x80 ? 1 : (lead >> 5) == 6 ? 2 : (lead >> 4) == 14 ? 3 : (lead >> 3) == 30 ? 4 : 0;
        if (size == 0 || at + size > length) return text + at;
        for (size_t i = 1; i < size; i++)
            if (!continues(text[at + i])) return text + at;
        if (!simdjson::validate_utf8(text + at, size)) return text + at;
        at += size;
    }
    return text + length;
}

/// The first control character inside a string, or the end.
static const char *first_control(const char *p, const char *end) {
    bool inside = false;
    for (; p < end; p++) {
        if (inside && static_cast<unsigned char>(*p) < 0x20) return p;
        if (*p == '\\')
            p++;
        else if (*p == '"')
            inside = !inside;
    }
    return end;
}

void Cursor::open(const char *json, size_t size) {
    text = json;
    length = size;
    at = count = 0;
    if (size == 0) fail("Unrecognized request format: the body is empty");
    const size_t capacity = stage ? stage->capacity() : 0;
    // Index memory is four bytes for each of the capacity: what a large body needed is given back.
    if (capacity > (4 << 20) && size < capacity / 4) stage.reset();
    if (!stage || stage->capacity() < size) {
        const size_t wanted = std::max(size, size_t(4096));
        stage.reset();
        if (simdjson::get_active_implementation()->create_dom_parser_implementation(wanted, 1, stage))
            throw std::bad_alloc();
    }
    // The tail of a text that is no multiple of 64 is copied by simdjson, so that nothing behind the text is read.
    const auto error =
        stage->stage1(reinterpret_cast<const uint8_t *>(json), size, simdjson::stage1_mode::regular);
    index = stage->structural_indexes.get();
    count = stage->n_structural_indexes;
    switch (error) {
    case simdjson::SUCCESS: break;
    case simdjson::EMPTY: fail("Unrecognized request format: the body is empty");
    case simdjson::UTF8_ERROR: fail_at(first_malformed(json, size), "not UTF-8");
    case simdjson::UNCLOSED_STRING: fail_at(json + size, "unclosed string");
    case simdjson::UNESCAPED_CHARS:
        fail_at(first_control(json, json + size), "a control character inside a string that is not escaped");
    default: fail("Unrecognized request format: %s", simdjson::error_message(error));
    }
}

void Cursor::fail_at(const char *place, const char *what) const {
    const char *line = text;
    size_t lines = 1;
    for (const char *p = text; p < place; p++) {
        if (*p != '\n') continue;
        lines++;
        line = p + 1;
    }
    // Characters, as Python counts them, not bytes.
    const auto characters = [](const char *from, const char *to) {
        return std::count_if(from, to, [](char byte) { return !continues(byte); });
    };
    fail("Unrecognized request format: %s: line %zu column %zu (char %zu)", what, lines,
        size_t(characters(line, place)) + 1, size_t(characters(text, place)));
}

void Cursor::unexpected(const char *wanted) const {
    const char *place = at < count ? token() : text + length;
    const std::string what = std::string(at < count ? "unexpected character" : "unexpected end") + ", expected " + wanted;
    fail_at(place, what.c_str());
}

bool Cursor::enter(char close) {
    advance();
    if (kind() != close) return true;
    advance();
    return false;
}

bool Cursor::more(char close) {
    const char found = kind();
    if (found != ',' && found != close) unexpected(close == ']' ? "',' or ']'" : "',' or '}'");
    advance();
    return found == ',';
}

std::string_view Cursor::key() {
    if (kind() != '"') unexpected("a string key");
    const auto key = string();
    if (kind() != ':') unexpected("':'");
    advance();
    return key;
}

std::string_view Cursor::string() {
    const char *begin = token() + 1;
    const char *p = begin;
    // simdjson has found that every string ends, and that it ends before the next token.
    while (*p != '"') p += *p == '\\' ? 2 : 1;
    advance();
    return {begin, size_t(p - begin)};
}

void Cursor::literal(std::string_view word) {
    const char *begin = token();
    const char *end = limit();
    if (size_t(end - begin) < word.size() || memcmp(begin, word.data(), word.size()) != 0) unexpected("a value");
    for (const char *p = begin + word.size(); p < end; p++)
        if (!isspace(static_cast<unsigned char>(*p))) fail_at(p, "unexpected character after a value");
    advance();
}

static void check_escapes(const Cursor &cursor, std::string_view text) {
    for (size_t at = text.find('\\'); at != text.npos; at = text.find('\\', at)) {
        const char kind = text[at + 1];
        if (kind == 'u') {
            for (size_t i = at + 2; i < at + 6; i++)
                if (i >= text.size() || !isxdigit(static_cast<unsigned char>(text[i])))
                    cursor.fail_at(text.data() + at, "invalid escape");
        } else if (!strchr("\"\\/bfnrt", kind) || kind == 0) {
            cursor.fail_at(text.data() + at, "invalid escape");
        }
        at += 2;
    }
}

std::string_view Cursor::skip(int depth) {
    if (depth > max_depth) fail_at(token(), "nested too deeply");
    const char *begin = at < count ? token() : nullptr;
    switch (kind()) {
    case '{':
        for (bool inside = enter('}'); inside; inside = more('}')) {
            check_escapes(*this, key());
            skip(depth + 1);
        }
        break;
    case '[':
        for (bool inside = enter(']'); inside; inside = more(']')) skip(depth + 1);
        break;
    case '"': {
        const auto content = string();
        check_escapes(*this, content);
        return {begin, content.size() + 2};
    }
    case 't': literal("true"); return {begin, 4};
    case 'f': literal("false"); return {begin, 5};
    case 'n': literal("null"); return {begin, 4};
    default: {
        read_number(*this);
        std::string_view number(begin, (at < count ? token() : text + length) - begin);
        return number.substr(0, number.find_last_not_of(" \t\r\n") + 1);
    }
    }
    return {begin, size_t(text + index[at - 1] + 1 - begin)};
}

void Cursor::end() {
    if (at < count) fail_at(token(), "unexpected content after the document");
}

static int hex(const char *digits) {
    int value = 0;
    for (int i = 0; i < 4; i++) {
        const char c = digits[i];
        value = value * 16 + (c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
    }
    return value;
}

std::string unescape(const Cursor &cursor, std::string_view escaped) {
    check_escapes(cursor, escaped);
    std::string plain;
    plain.reserve(escaped.size());
    for (size_t at = 0; at < escaped.size(); at++) {
        if (escaped[at] != '\\') {
            plain += escaped[at];
            continue;
        }
        const char kind = escaped[++at];
        switch (kind) {
        case 'b': plain += '\b'; break;
        case 'f': plain += '\f'; break;
        case 'n': plain += '\n'; break;
        case 'r': plain += '\r'; break;
        case 't': plain += '\t'; break;
        case 'u': {
            uint32_t code = hex(escaped.data() + at + 1);
            at += 4;
            const bool leads = code >= 0xD800 && code < 0xDC00;
            if (leads && at + 6 < escaped.size() && escaped[at + 1] == '\\' && escaped[at + 2] == 'u') {
                const uint32_t low = hex(escaped.data() + at + 3);
                if (low >= 0xDC00 && low < 0xE000) {
                    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
                    at += 6;
                }
            }
            if (code >= 0xD800 && code < 0xE000) cursor.fail_at(escaped.data() + at - 4, "lone surrogate in a string");
            if (code < 0x80) {
                plain += char(code);
            } else if (code < 0x800) {
                plain += {char(0xC0 | code >> 6), char(0x80 | (code & 63))};
            } else if (code < 0x10000) {
                plain += {char(0xE0 | code >> 12), char(0x80 | (code >> 6 & 63)), char(0x80 | (code & 63))};
            } else {
                plain += {
                    char(0xF0 | code >> 18), char(0x80 | (code >> 12 & 63)), char(0x80 | (code >> 6 & 63)),
                    char(0x80 | (code & 63))};
            }
            break;
        }
        default: plain += kind;
        }
    }
    return plain;
}

} // namespace takumi
