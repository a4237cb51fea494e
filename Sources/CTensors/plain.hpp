// Numbers as nearly all are written: no exponent, few enough digits that a double holds them all.
#pragma once

#include "parser.hpp"

#include <cstring>
#include <type_traits>

namespace takumi {

/// Most bytes that are loaded from where such a number begins; as many must lie before the text's end.
constexpr size_t plain_reach = 32;

namespace plain {

// Eight characters at once, the first one lowest: the steps for digits that vary in number have no branches to guess wrong.
inline uint64_t load(const char *p) {
    uint64_t eight;
    memcpy(&eight, p, sizeof eight);
    return eight;
}

/// How many of the characters are digits before the first that is none.
inline unsigned digits(uint64_t eight) {
    const uint64_t value = eight ^ 0x3030303030303030;
    // The top bit of every byte above 9.
    const uint64_t others = (value | ((value & 0x7F7F7F7F7F7F7F7F) + 0x7676767676767676)) & 0x8080808080808080;
    return others ? unsigned(__builtin_ctzll(others)) >> 3 : 8;
}

/// The value of the first `count` characters, which are digits. 1 to 8.
inline uint64_t value(uint64_t eight, unsigned count) {
    eight = (eight - 0x3030303030303030) << (64 - 8 * count);
    eight = eight * 10 + (eight >> 8);
    constexpr uint64_t pair = 0x000000FF000000FF;
    return ((eight & pair) * 0x000F424000000064 + ((eight >> 16) & pair) * 0x0000271000000001) >> 32;
}

constexpr uint64_t whole_powers[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};
constexpr double powers[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,
                             1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16};

} // namespace plain

/// Reads a number of at most seven digits before the point and sixteen behind it. Returns false where it is written in
/// another way, or is none: read_number() says what it is then.
__attribute__((always_inline)) inline bool read_plain(const char *p, size_t length, double &number) {
    const bool negative = *p == '-';
    p += negative;
    length -= negative;
    unsigned before = 1;
    uint64_t all = uint64_t(*p) - '0';
    if (p[1] != '.' || all > 9) {
        const uint64_t front = plain::load(p);
        before = plain::digits(front);
        if (before == 0 || before == 8 || (before > 1 && *p == '0')) return false;
        all = plain::value(front, before);
        if (length == before) {
            number = negative ? -double(all) : double(all);
            // A whole number has no sign at zero.
            return all != 0 || !negative;
        }
        if (p[before] != '.') return false;
    }
    const size_t behind = length - before - 1;
    if (behind - 1 > 15) return false;
    p += before + 1;
    const uint64_t first = plain::load(p);
    const unsigned most = behind < 8 ? unsigned(behind) : 8;
    if (plain::digits(first) < most) return false;
    all = all * plain::whole_powers[most] + plain::value(first, most);
    if (behind > 8) {
        const uint64_t second = plain::load(p + 8);
        const unsigned rest = unsigned(behind) - 8;
        // More than nineteen digits may not fit into 64 bits.
        if (plain::digits(second) < rest || before + behind > 19) return false;
        all = all * plain::whole_powers[rest] + plain::value(second, rest);
    }
    // Both are exact in a double, so that one operation rounds once.
    if (all > (1ull << 53)) return false;
    const double value = double(all) / plain::powers[behind];
    number = negative ? -value : value;
    return true;
}

/// The same for whole numbers of at most seven digits.
inline bool read_plain(const char *p, size_t length, int64_t &number) {
    const bool negative = *p == '-';
    p += negative;
    length -= negative;
    const uint64_t front = plain::load(p);
    const unsigned count = plain::digits(front);
    if (count == 0 || count == 8 || count != length || (count > 1 && *p == '0')) return false;
    const int64_t value = int64_t(plain::value(front, count));
    number = negative ? -value : value;
    return true;
}

/// Appends numbers as `Written` reads them and `Kept` keeps them, each with the comma behind it, up to the first that is
/// written in another way. Returns how many.
template <class Written, class Kept> int64_t take_plain(Cursor &cursor, Bytes &values) {
    // Not more room than a few would need that are written as short as they can be.
    constexpr size_t most = 4096;
    size_t all = 0, some = most;
    while (some == most) {
        char *room = values.reserve(most * sizeof(Kept));
        some = cursor.run(most, plain_reach, [&](const char *number, size_t length) {
            Written value;
            if (!read_plain(number, length, value)) return false;
            if constexpr (std::is_integral_v<Kept>)
                if (int64_t(Kept(value)) != value || (value < 0 && std::is_unsigned_v<Kept>)) return false;
            const Kept kept = Kept(value);
            memcpy(room, &kept, sizeof kept);
            room += sizeof kept;
            return true;
        });
        values.add(some * sizeof(Kept));
        all += some;
    }
    return int64_t(all);
}

} // namespace takumi
