import Resource

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Names that `takumi run` makes up.
enum RunNames {
    /// `train-20260131-140509` for train.py.
    static func training(script: String, at date: Date) -> String {
        let name = LocalPath.name(script)
        let stem = name.lastIndex(of: ".").map { $0 == name.startIndex ? name : String(name[..<$0]) } ?? name
        let stamp = Timestamp.compact(date)
        return "\(folder(stem).prefix(Limits.name - stamp.count - 1))-\(stamp)"
    }

    /// A training's name as a folder of the store: URIs are written without escapes, so that only what never needs any
    /// may be in them.
    static func folder(_ name: String) -> String {
        let kept = name.map { character in
            character.isASCII && (character.isLetter || character.isNumber || "-_.".contains(character))
                ? character : "-"
        }
        let text = String(kept)
        return text.allSatisfy { $0 == "." || $0 == "-" } ? "run" : text
    }
}
