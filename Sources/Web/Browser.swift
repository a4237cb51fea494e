import Crypto
import Foundation
import Resource

/// The languages of the console.
package enum Language: String, Sendable, CaseIterable {
    case english = "en"
    case japanese = "ja"

    /// The first language of an `Accept-Language` header that the console speaks, by the header's own weights.
    package init(accepting header: String?) {
        let wishes = (header ?? "").split(separator: ",").enumerated().map { index, part in
            let pieces = part.split(separator: ";").map { $0.trimmingCharacters(in: .whitespaces) }
            let weight = pieces.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
            return (tag: pieces.first?.lowercased() ?? "", weight: weight, index: index)
        }
        let best = wishes.filter { $0.weight > 0 }.sorted { ($1.weight, $0.index) < ($0.weight, $1.index) }
        self =
            best.lazy.compactMap { wish in
                Language.allCases.first { wish.tag == $0.rawValue || wish.tag.hasPrefix($0.rawValue + "-") }
            }.first ?? .english
    }
}

/// Light, dark, or as the system has it.
package enum Theme: String, Sendable, CaseIterable {
    case auto, light, dark
}

/// What a browser brings to a page: its session, its wishes.
package struct Browser: Sendable {
    package var language: Language
    package var theme: Theme
    /// The session's secret; nil for who is not logged in.
    package var session: String?
    /// What every form of this session carries, so that no other page can send one in its name.
    package var csrf: String
    /// Over TLS.
    package var isSecure: Bool
    /// The address of the other end.
    package var address: String
    /// The decoded form of a POST.
    package var form = FormFields()
    /// Why the request does not count, found before there was a page to say it on.
    package var refusal: TakumiError?

    package init(language: Language, theme: Theme, session: String?, csrf: String, isSecure: Bool, address: String) {
        self.language = language
        self.theme = theme
        self.session = session
        self.csrf = csrf
        self.isSecure = isSecure
        self.address = address
    }

    /// Bound to the session without being it: seeing the one does not give the other.
    package static func csrf(of session: String) -> String {
        let code = HMAC<SHA256>.authenticationCode(
            for: Data("csrf".utf8), using: SymmetricKey(data: Data(session.utf8)))
        return Data(code).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
    }
}
