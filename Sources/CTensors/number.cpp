#include "parser.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>

namespace takumi {

static bool digit(char c) { return c >= '0' && c <= '9'; }

static double slow_value(const char *begin, const char *end) {
    double value = 0;
    if (std::from_chars(begin, end, value).ec == std::errc()) return value;
    // Too large or too small for a double: the C library tells which.
    return strtod(std::string(begin, end).c_str(), nullptr);
}

/// Steps over digits and appends them to `value`. Eight at a time, as simdjson does it: one after the other, each waits for the
/// multiplication before it.
static const char *read_digits(const char *p, const char *limit, uint64_t &value) {
    while (limit - p >= 8) {
        uint64_t eight;
        memcpy(&eight, p, sizeof eight);
        const uint64_t high = eight & 0xF0F0F0F0F0F0F0F0;
        const uint64_t carried = ((eight + 0x0606060606060606) & 0xF0F0F0F0F0F0F0F0) >> 4;
        if ((high | carried) != 0x3333333333333333) break;
        eight -= 0x3030303030303030;
        eight = eight * 10 + (eight >> 8);
        constexpr uint64_t pair = 0x000000FF000000FF;
        eight = ((eight & pair) * 0x000F424000000064 + ((eight >> 16) & pair) * 0x0000271000000001) >> 32;
        value = value * 100000000 + eight;
        p += 8;
    }
    while (p < limit && digit(*p)) value = value * 10 + uint64_t(*p++ - '0');
    return p;
}

Number read_number(Cursor &cursor) {
    static constexpr double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                        1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    if (cursor.kind() != '-' && !digit(cursor.kind())) cursor.unexpected("a value");
    const char *const begin = cursor.token();
    const char *const limit = cursor.limit();
    const auto check = [&](bool holds, const char *place) {
        if (!holds) cursor.fail_at(place, "invalid number");
    };
    const char *p = begin;
    const bool negative = *p == '-';
    p += negative;
    check(p < limit && digit(*p), p);

    uint64_t digits = 0;
    int count = 0;
    int64_t exponent = 0;
    bool real = false;
    const char *mark = p;
    if (*p == '0')
        p++;
    else
        p = read_digits(p, limit, digits);
    count = int(std::min<ptrdiff_t>(p - mark, 1000));
    if (p < limit && *p == '.') {
        real = true;
        mark = ++p;
        p = read_digits(p, limit, digits);
        check(p > mark, p);
        exponent = mark - p;
        count = int(std::min<ptrdiff_t>(count + (p - mark), 1000));
    }
    if (p < limit && (*p | 32) == 'e') {
        real = true;
        p++;
        const bool below = p < limit && *p == '-';
        if (p < limit && (*p == '-' || *p == '+')) p++;
        mark = p;
        int64_t power = 0;
        while (p < limit && digit(*p)) power = std::min<int64_t>(power * 10 + (*p++ - '0'), 100000);
        check(p > mark, p);
        exponent += below ? -power : power;
    }
    for (const char *rest = p; rest < limit; rest++)
        if (*rest != ' ' && *rest != '\n' && *rest != '\r' && *rest != '\t') check(false, rest);
    cursor.advance();

    Number number{Number::real, 0, 0, 0};
    if (!real) {
        // Twenty digits may or may not fit into 64 bits.
        if (count == 20 && !negative) {
            if (std::from_chars(begin, p, number.natural).ec == std::errc()) number.kind = Number::large;
        } else if (count < 20 && digits <= uint64_t(INT64_MAX) + negative) {
            number.kind = Number::whole;
            number.integer = negative ? int64_t(0 - digits) : int64_t(digits);
        } else if (count < 20 && !negative) {
            number.kind = Number::large;
            number.natural = digits;
        }
        if (number.kind == Number::whole) {
            number.value = double(number.integer);
            return number;
        }
    }
    // Both are exact in a double, so that one operation rounds once.
    if (count < 20 && digits <= (1ull << 53) && exponent >= -22 && exponent <= 22) {
        const double exact = double(digits);
        number.value = exponent < 0 ? exact / powers[-exponent] : exact * powers[exponent];
        if (negative) number.value = -number.value;
    } else {
        number.value = slow_value(begin, p);
    }
    return number;
}

} // namespace takumi
