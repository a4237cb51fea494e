// RE2 behind C: regular expressions of users, matched in time linear in the text, whatever the expression.
#ifndef TAKUMI_CREGEX_H
#define TAKUMI_CREGEX_H

#ifdef __cplusplus
extern "C" {
#endif

struct takumi_regex;

/// Compiles an expression in RE2's syntax. Returns null where it is none; `error` then says why, ended by a NUL.
struct takumi_regex *takumi_regex_compile(
    const char *pattern, unsigned long length, char *error, unsigned long error_size);
void takumi_regex_free(struct takumi_regex *regex);

/// How many groups the expression has.
int takumi_regex_groups(const struct takumi_regex *regex);

/// Looks for the next match at or after `start`. Returns 1 and fills `spans` with the offsets of begin and end of the whole
/// match and of the groups 1 and 2, -1 for a group that took no part; 0 where there is none.
int takumi_regex_next(
    const struct takumi_regex *regex, const char *text, unsigned long length, unsigned long start, long spans[6]);

#ifdef __cplusplus
}
#endif

#endif
