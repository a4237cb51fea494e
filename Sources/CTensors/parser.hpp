// The parser's memory and its way through the tokens that simdjson found.
#pragma once

#include "include/ctensors.h"

#include <simdjson.h>

#include <cstdarg>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace takumi {

/// A failed parse. Thrown inside the shim only; every entry point catches it.
struct Failure {
    std::string sentence;
    int code = TAKUMI_FAILED;
};

/// No frame to the worker holds more, so what grows beyond it is of no use.
constexpr size_t most_values = size_t(1) << 30;

[[noreturn]] void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/// Bytes that grow without being set to zero first, as those of a vector are.
class Bytes {
public:
    char *reserve(size_t more) {
        if (used + more > room) grow(more);
        return memory.get() + used;
    }
    void add(size_t count) { used += count; }
    template <class T> void append(T value) {
        memcpy(reserve(sizeof value), &value, sizeof value);
        used += sizeof value;
    }
    void append(std::string_view text) {
        memcpy(reserve(text.size()), text.data(), text.size());
        used += text.size();
    }
    char *data() const { return memory.get(); }
    size_t size() const { return used; }
    void clear();

private:
    struct Free {
        void operator()(char *pointer) const { free(pointer); }
    };
    void grow(size_t more);
    std::unique_ptr<char, Free> memory;
    size_t used = 0, room = 0;
};

/// Walks over the tokens of one document and holds it to JSON's grammar. simdjson's first stage has checked UTF-8 and that
/// strings end; its own second stages are not used, since one refuses whole numbers above 64 bits and the other does not check
/// what it skips.
class Cursor {
public:
    /// Deeper nesting than this is refused.
    static constexpr int max_depth = 256;

    void open(const char *json, size_t length);

    /// The current token's first byte, 0 after the last one.
    char kind() const { return at < count ? text[index[at]] : 0; }
    const char *token() const { return text + index[at]; }
    const char *base() const { return text; }
    /// Where the next token begins: nothing of the current one lies at or behind it.
    const char *limit() const { return text + (at + 1 < count ? index[at + 1] : length); }
    void advance() { at++; }
    size_t position() const { return at; }
    void seek(size_t position) { at = position; }

    /// Steps over `[` or `{`. Returns false where the container is empty, and has then stepped over its end.
    bool enter(char close);
    /// Steps over `,` and returns true, or over the closing bracket and returns false.
    bool more(char close);
    /// Steps over elements of an array that `read` takes and a comma follows, at most `most`, and returns how many. `read` is
    /// given an element's first byte, behind which `reach` bytes can be loaded, and where the comma stands.
    template <class Read> size_t run(size_t most, size_t reach, Read read) {
        const size_t begin = at;
        // Found by the tokens and not by what is read, so that one number need not wait for the one before it.
        for (size_t left = most; left > 0 && at + 2 < count; left--, at += 2) {
            const char *element = text + index[at], *behind = text + index[at + 1];
            if (*behind != ',' || index[at] + reach > length || !read(element, size_t(behind - element))) break;
        }
        return (at - begin) / 2;
    }
    /// Steps over a key and its colon. The key is still escaped.
    std::string_view key();
    /// Steps over a string. Returns what is between its quotes, still escaped.
    std::string_view string();
    /// Steps over a value, whatever it is, and returns all of it.
    std::string_view skip(int depth = 0);
    void end();

    [[noreturn]] void unexpected(const char *wanted) const;
    [[noreturn]] void fail_at(const char *place, const char *what) const;

private:
    void literal(std::string_view word);
    std::unique_ptr<simdjson::internal::dom_parser_implementation> stage;
    const char *text = nullptr;
    size_t length = 0, at = 0, count = 0;
    const uint32_t *index = nullptr;
};

/// A number as JSON writes it.
struct Number {
    enum Kind {
        /// Written without point and exponent, and fits.
        whole,
        /// The same, above INT64_MAX.
        large,
        /// With point or exponent, or a whole number of more than 64 bits. Infinite where it is above all of FP64.
        real,
    } kind;
    int64_t integer;
    uint64_t natural;
    double value;
};

/// Steps over the current token, which must be a number.
Number read_number(Cursor &cursor);

/// Undoes escapes. Lone surrogates have no UTF-8 and fail.
std::string unescape(const Cursor &cursor, std::string_view escaped);

struct Tensor : takumi_tensor {
    int64_t dims[TAKUMI_MAX_RANK];
};

} // namespace takumi

struct takumi_parser {
    takumi::Cursor cursor;
    takumi::Bytes values;
    std::string error;
    std::deque<std::string> texts;
    std::deque<takumi::Tensor> tensors;
    std::vector<takumi_tensor> inputs;
    std::vector<takumi_v2_output> outputs;
    std::vector<takumi_reply_item> items;

    void begin(const char *json, size_t length);
    /// A text that lives as long as the result: in the input where nothing is escaped, else in `texts`.
    takumi_text keep(std::string_view escaped);
    takumi_text string() { return keep(cursor.string()); }
    bool is_key(std::string_view key, std::string_view name);
    /// The value of a JSON object or of null, which is none. Every reader of JSON takes what is in it: numbers are finite in
    /// FP64, and strings are Unicode.
    takumi_text object(const char *name);
    int64_t whole(const char *name);
    /// Looks at what has been stepped over from `position` on.
    void check_scalars(const char *name, size_t position);

    template <class Body> int run(Body body) noexcept {
        try {
            return body();
        } catch (const takumi::Failure &failure) {
            error = failure.sentence;
            return failure.code;
        } catch (const std::bad_alloc &) {
            error.assign("out of memory");
        }
        return TAKUMI_FAILED;
    }
};
