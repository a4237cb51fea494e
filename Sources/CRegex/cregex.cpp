#include "cregex.h"

#include <re2/re2.h>

#include <cstring>

struct takumi_regex {
    re2::RE2 expression;
};

takumi_regex *takumi_regex_compile(
    const char *pattern, unsigned long length, char *error, unsigned long error_size) {
    re2::RE2::Options options;
    options.set_log_errors(false);
    // A metric's expression needs no more; one that does would cost memory for every line.
    options.set_max_mem(1 << 20);
    auto *regex = new takumi_regex{re2::RE2(re2::StringPiece(pattern, length), options)};
    if (regex->expression.ok()) return regex;
    std::strncpy(error, regex->expression.error().c_str(), error_size - 1);
    error[error_size - 1] = 0;
    delete regex;
    return nullptr;
}

void takumi_regex_free(takumi_regex *regex) { delete regex; }

int takumi_regex_groups(const takumi_regex *regex) { return regex->expression.NumberOfCapturingGroups(); }

int takumi_regex_next(
    const takumi_regex *regex, const char *text, unsigned long length, unsigned long start, long spans[6]) {
    re2::StringPiece parts[3];
    const int wanted = std::min(3, regex->expression.NumberOfCapturingGroups() + 1);
    if (!regex->expression.Match(
            re2::StringPiece(text, length), start, length, re2::RE2::UNANCHORED, parts, wanted))
        return 0;
    for (int index = 0; index < 3; index++) {
        const bool took_part = index < wanted && parts[index].data() != nullptr;
        spans[2 * index] = took_part ? parts[index].data() - text : -1;
        spans[2 * index + 1] = took_part ? spans[2 * index] + (long)parts[index].size() : -1;
    }
    return 1;
}
