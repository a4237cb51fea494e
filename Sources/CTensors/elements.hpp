// Elements of the inputs' datatypes, from JSON.
#pragma once

#include "plain.hpp"

#include <cmath>
#include <limits>

namespace takumi {

/// Steps over one element of the datatype and appends it to `values`. `index` and `input` are named by failures.
class Elements {
public:
    Elements(takumi_parser &parser, int datatype, const std::string &input)
        : parser(parser), cursor(parser.cursor), values(parser.values), datatype(datatype), input(input) {}

    int64_t index = 0;

    bool take() {
        if (cursor.kind() == '{') refuse_object();
        switch (datatype) {
        case TAKUMI_BOOL: boolean(); break;
        case TAKUMI_INT8: whole<int8_t>(); break;
        case TAKUMI_INT16: whole<int16_t>(); break;
        case TAKUMI_INT32: whole<int32_t>(); break;
        case TAKUMI_INT64: whole<int64_t>(); break;
        case TAKUMI_UINT8: whole<uint8_t>(); break;
        case TAKUMI_UINT16: whole<uint16_t>(); break;
        case TAKUMI_UINT32: whole<uint32_t>(); break;
        case TAKUMI_UINT64: whole<uint64_t>(); break;
        case TAKUMI_FP32: real<float>(); break;
        case TAKUMI_FP64: real<double>(); break;
        default: bytes(); break;
        }
        index++;
        return true;
    }

    int64_t run() {
        const int64_t taken = run_of_datatype();
        index += taken;
        return taken;
    }

private:
    int64_t run_of_datatype() {
        switch (datatype) {
        case TAKUMI_INT8: return take_plain<int64_t, int8_t>(cursor, values);
        case TAKUMI_INT16: return take_plain<int64_t, int16_t>(cursor, values);
        case TAKUMI_INT32: return take_plain<int64_t, int32_t>(cursor, values);
        case TAKUMI_INT64: return take_plain<int64_t, int64_t>(cursor, values);
        case TAKUMI_UINT8: return take_plain<int64_t, uint8_t>(cursor, values);
        case TAKUMI_UINT16: return take_plain<int64_t, uint16_t>(cursor, values);
        case TAKUMI_UINT32: return take_plain<int64_t, uint32_t>(cursor, values);
        case TAKUMI_UINT64: return take_plain<int64_t, uint64_t>(cursor, values);
        case TAKUMI_FP32: return take_plain<double, float>(cursor, values);
        case TAKUMI_FP64: return take_plain<double, double>(cursor, values);
        default: return 0;
        }
    }

    [[noreturn]] void refuse_object() {
        const auto value = cursor.skip();
        fail("input '%s': an element of 'data' is %.*s; send numbers, booleans or strings", input.c_str(),
            int(std::min(value.size(), size_t(40))), value.data());
    }

    [[noreturn]] void refuse(size_t position, const char *remedy) {
        cursor.seek(position);
        const auto value = cursor.skip();
        const int shown = int(std::min(value.size(), size_t(60)));
        fail("input '%s': %.*s%s at index %lld is no %s: %s", input.c_str(), shown, value.data(),
            value.size() > size_t(shown) ? ".." : "", (long long)index, takumi_datatype_name(datatype), remedy);
    }

    bool is_number() const { return cursor.kind() == '-' || (cursor.kind() >= '0' && cursor.kind() <= '9'); }

    void boolean() {
        const size_t position = cursor.position();
        const auto value = cursor.skip();
        if (value == "true" || value == "1")
            values.append<uint8_t>(1);
        else if (value == "false" || value == "0")
            values.append<uint8_t>(0);
        else
            refuse(position, "send true or false");
    }

    template <class T> void whole() {
        const size_t position = cursor.position();
        static constexpr const char *remedy = "send whole numbers within its range, or another datatype";
        if (!is_number()) refuse(position, remedy);
        const Number number = read_number(cursor);
        T value{};
        bool fits = false;
        if (number.kind == Number::whole) {
            value = T(number.integer);
            if constexpr (std::is_same_v<T, uint64_t>)
                fits = number.integer >= 0;
            else
                fits = number.integer >= int64_t(std::numeric_limits<T>::min())
                    && number.integer <= int64_t(std::numeric_limits<T>::max());
        } else if (number.kind == Number::large) {
            if constexpr (std::is_same_v<T, uint64_t>) {
                value = number.natural;
                fits = true;
            }
        } else if (std::abs(number.value) <= 0x1p53 && number.value == std::trunc(number.value)) {
            // 1.0 and 1e3 are whole too; clients whose only numbers are doubles write such.
            const int64_t integer = int64_t(number.value);
            value = T(integer);
            fits = int64_t(value) == integer && (std::is_signed_v<T> || integer >= 0);
        }
        if (!fits) refuse(position, remedy);
        values.append(value);
    }

    template <class T> void real() {
        const size_t position = cursor.position();
        static constexpr const char *remedy = "send numbers within its range, or another datatype";
        if (cursor.kind() == 'n') {
            // What replies write for NaN. NumPy reads it so too.
            if (cursor.skip() != "null") refuse(position, remedy);
            values.append(std::numeric_limits<T>::quiet_NaN());
            return;
        }
        if (!is_number()) refuse(position, remedy);
        const double number = read_number(cursor).value;
        const T value = T(number);
        if (!std::isfinite(value)) refuse(position, remedy);
        values.append(value);
    }

    void bytes() {
        if (cursor.kind() != '"') refuse(cursor.position(), "send strings");
        const takumi_text text = parser.string();
        values.append(uint32_t(text.length));
        values.append(std::string_view(text.start, text.length));
        // The text has been copied; a tensor of many escaped strings must not keep them twice.
        parser.texts.resize(parser.texts.size() > kept ? kept : parser.texts.size());
    }

    takumi_parser &parser;
    Cursor &cursor;
    Bytes &values;
    const int datatype;
    const std::string &input;
    const size_t kept = parser.texts.size();
};

} // namespace takumi
