import Gateway
import Identity

/// Users' programs of a kind, behind the login, on the origin of applications.
package protocol ProxiedApp: Sendable {
    /// The first part of their paths: `tensorboard`.
    var name: String { get }
    /// Decides on each request to one of them.
    ///
    /// - Parameter path: The decoded parts after the name, the project first, without empty ones.
    /// - Throws: `TakumiError` for what the caller may not see, or what does not answer.
    func open(_ request: AppRequest, path: [String], by principal: Principal) async throws -> AppOpening
}

package enum AppOpening: Sendable {
    case pass(AppPass)
    /// To another path of this origin.
    case redirect(String)
}
