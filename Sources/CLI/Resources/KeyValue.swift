import ArgumentParser
import Resource

/// `key=value` as typed: a hyperparameter, a dataset, a tag.
struct KeyValue: Equatable, Sendable, ExpressibleByArgument {
    var key: String
    var value: String

    init(key: String, value: String) {
        self.key = key
        self.value = value
    }

    /// Split at the first `=`; the value may hold more of them, and may be empty.
    init?(argument: String) {
        guard let split = argument.firstIndex(of: "="), split != argument.startIndex else { return nil }
        self.init(key: String(argument[..<split]), value: String(argument[argument.index(after: split)...]))
    }
}

extension KeyValue {
    /// `--hp`: at most 100, keys once, without spaces and at most 255 characters, values at most 1000 (T-3).
    static func checkHyperparameters(_ pairs: [KeyValue]) throws {
        try check(pairs, option: "--hp", what: "hyperparameters", limit: 100, keyLimit: 255)
        for pair in pairs {
            if pair.value.count > 1000 {
                throw ValidationError(
                    "--hp \(pair.key.excerpt): its value has \(pair.value.count) characters; at most 1000 are allowed")
            }
            // It becomes part of a command line, and an environment variable.
            if pair.key.contains(where: \.isWhitespace) {
                throw ValidationError("--hp '\(pair.key.excerpt)': a name has no spaces")
            }
        }
    }

    /// `--data`: at most 10, names once and at most 36 characters (T-5), and a place for each.
    static func checkDatasets(_ pairs: [KeyValue]) throws {
        try check(pairs, option: "--data", what: "datasets", limit: 10, keyLimit: 36)
        for pair in pairs {
            if pair.value.isEmpty {
                throw ValidationError("--data \(pair.key)= has no place; give a folder, a file or a URI after the '='")
            }
            // It becomes a folder, and an environment variable.
            let isName = pair.key.allSatisfy { $0.isLetter || $0.isNumber || "_-.".contains($0) }
            if !isName || pair.key.hasPrefix(".") {
                throw ValidationError(
                    "--data '\(pair.key.excerpt)' may only have letters, digits, '_', '-' and '.', not first")
            }
        }
    }

    private static func check(
        _ pairs: [KeyValue], option: String, what: String, limit: Int, keyLimit: Int
    ) throws {
        if pairs.count > limit {
            throw ValidationError("\(option): there are \(pairs.count) \(what); at most \(limit) are allowed")
        }
        var seen: Set<String> = []
        for pair in pairs {
            if pair.key.count > keyLimit {
                throw ValidationError(
                    "\(option) \(pair.key.excerpt): the name has \(pair.key.count) characters; at most \(keyLimit) are allowed"
                )
            }
            // EM_HP_ and EM_DATASET_ variables are in capitals.
            if !seen.insert(pair.key.uppercased()).inserted {
                throw ValidationError("\(option) \(pair.key) is given twice (capitals do not count); give it once")
            }
        }
    }
}
