// Arrays within arrays, as far as they are regular.
#pragma once

#include "parser.hpp"

namespace takumi {

/// Finds the shape of nested arrays while `scalar` takes their elements. `take()` steps over an element and returns false where
/// it cannot be one; `run()` steps over elements that are followed by commas, as many as it likes, and returns their number.
template <class Scalar> struct Walk {
    Cursor &cursor;
    Scalar &scalar;
    int rank = -1;
    int64_t shape[TAKUMI_MAX_RANK];
    bool seen[TAKUMI_MAX_RANK] = {};

    Walk(Cursor &cursor, Scalar &scalar) : cursor(cursor), scalar(scalar) {}

    /// Returns false where the arrays are ragged or an element is refused.
    bool array(int depth = 0) {
        if (depth == TAKUMI_MAX_RANK) return false;
        int64_t length = 0;
        for (bool inside = cursor.enter(']'); inside; inside = cursor.more(']'), length++) {
            if (cursor.kind() == '[') {
                if (rank >= 0 && depth + 1 >= rank) return false;
                if (!array(depth + 1)) return false;
                continue;
            }
            if (rank < 0) rank = depth + 1;
            if (rank != depth + 1) return false;
            length += scalar.run();
            if (cursor.kind() == '[' || !scalar.take()) return false;
        }
        if (rank < 0) rank = depth + 1;
        if (seen[depth] && shape[depth] != length) return false;
        seen[depth] = true;
        shape[depth] = length;
        return true;
    }
};

} // namespace takumi
