import Console
import Foundation
import Gateway
import Identity
import Logging
import Resource
import Web

/// Lets people in to users' programs (TensorBoard, notebooks), which are on an origin of their own.
///
/// Browsers come by a cookie of that origin, which comes from the console by a ticket and ends with the console's session.
/// Tokens of the API work in headers and, for programs that know no others, in the query.
package struct AppsGate: AppGate {
    private let directory: Directory
    private let apps: [String: any ProxiedApp]
    private let consoleURL: @Sendable () -> String
    private let isReady: @Sendable () -> Bool
    private let logger: Logger

    /// - Parameters:
    ///   - consoleURL: Where the console is reached, for who has no cookie yet.
    ///   - isReady: Whether the server is; for `/healthz`.
    package init(
        directory: Directory, apps: [any ProxiedApp], logger: Logger, consoleURL: @escaping @Sendable () -> String,
        isReady: @escaping @Sendable () -> Bool = { true }
    ) {
        self.directory = directory
        self.apps = Dictionary(apps.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        self.logger = logger
        self.consoleURL = consoleURL
        self.isReady = isReady
    }

    package func open(_ request: AppRequest) async -> AppAnswer {
        do {
            return try await decide(request)
        } catch {
            return refusal(error, request)
        }
    }

    private func decide(_ request: AppRequest) async throws -> AppAnswer {
        if request.path == "/healthz" {
            return isReady()
                ? .answer(status: 200, headers: [], body: Array("ok\n".utf8))
                : .answer(status: 503, headers: [], body: [])
        }
        var target = AppTarget(request.target)
        if let ticket = target.take(AppsAccess.ticket) { return try await enter(by: ticket, target.text, request) }
        var request = request
        let token = target.take("token") { $0.hasPrefix(Directory.apiTokenPrefix) }
        request.target = target.text
        guard let (caller, principal) = try await caller(of: request, token: token) else {
            guard request.isSafe, request.wantsPage, !request.isUpgrade else {
                throw TakumiError(.unauthenticated, "log in first: open this page from the console")
            }
            return redirect(303, to: "\(consoleURL())/apps?to=\(target.text.pathEscaped)")
        }
        let parts = target.parts
        guard let name = parts.first, let app = apps[name] else {
            throw TakumiError(.notFound, "there is no such page")
        }
        let path = Array(parts.dropFirst())
        switch try await app.open(request, path: path, by: principal) {
        case .redirect(let place): return redirect(307, to: place)
        case .pass(let pass):
            return .pass(narrowed(pass, for: caller, principal, in: path.first ?? "", request, token: token))
        }
    }

    /// Without the caller's token, and only as long as the caller may be there.
    private func narrowed(
        _ pass: AppPass, for caller: Caller, _ principal: Principal, in project: String, _ request: AppRequest,
        token: String?
    ) -> AppPass {
        var pass = pass
        if token != nil { pass.target = pass.target ?? request.target }
        if let referrer = request.header("Referer") {
            var page = AppTarget(referrer)
            if page.take("token") != nil { pass.headers.append(("Referer", page.text)) }
        }
        let role = principal.role(in: project)
        let (own, directory) = (pass.mayStay, directory)
        pass.mayStay = {
            // Whoever may do less than before comes in anew, and is looked at anew.
            guard let now = try? await directory.principal(of: caller.secret, purposes: [caller.purpose]),
                let current = now.role(in: project), let role, current >= role
            else { return false }
            return await own()
        }
        return pass
    }

    // MARK: - Who it is

    private struct Caller: Sendable {
        var secret: String
        var purpose: TokenSpec.Purpose
    }

    private func caller(of request: AppRequest, token: String?) async throws -> (Caller, Principal)? {
        if let secret = AppsGate.token(in: request) ?? token {
            if let principal = try await directory.principal(of: secret, purposes: [.api]) {
                return (Caller(secret: secret, purpose: .api), principal)
            }
            // Every cell reads it: who has run something in one notebook would get into all.
            guard try await directory.principal(of: secret, purposes: [.notebook]) == nil else {
                throw TakumiError(
                    .forbidden, "the token of a notebook (EM_TOKEN) opens no notebooks; use a token of your own")
            }
        }
        guard let secret = request.cookie(AppsAccess.cookie) else { return nil }
        // Programs ask by POST for things to show, and talk by WebSockets. Another site's page cannot do the first, since the
        // cookie is not sent from there (Lax); but the console and other ports of this host are no other site.
        guard request.isSafe && !request.isUpgrade || AppsGate.isOwn(request) else {
            throw TakumiError(.forbidden, "this request was sent by another site")
        }
        guard let principal = try await directory.principal(of: secret, purposes: [.apps]) else { return nil }
        return (Caller(secret: secret, purpose: .apps), principal)
    }

    private static func token(in request: AppRequest) -> String? {
        request.header("X-EasyMaker-Token") ?? request.header("X-NHN-Authorization").flatMap(credentials)
            ?? request.header("Authorization").flatMap(credentials)
    }

    /// `Bearer X`, and `token X` as Jupyter's clients write it.
    private static func credentials(_ value: String) -> String? {
        let parts = value.split(separator: " ", maxSplits: 1)
        return parts.count == 2 && ["bearer", "token"].contains(parts[0].lowercased()) ? String(parts[1]) : nil
    }

    private static func isOwn(_ request: AppRequest) -> Bool {
        guard let origin = request.header("Origin") else { return true }
        return origin == "https://\(request.header("Host") ?? "")"
    }

    private func enter(by ticket: String, _ target: String, _ request: AppRequest) async throws -> AppAnswer {
        // Another site's link must not put somebody else's session in the place of the one that is there. It leads where the
        // one that is there may go.
        if request.header("Sec-Fetch-Site") == "cross-site", let secret = request.cookie(AppsAccess.cookie),
            try await directory.principal(of: secret, purposes: [.apps]) != nil
        {
            return redirect(303, to: LogInFirst.place(target))
        }
        guard let secret = try await directory.redeem(ticket: ticket) else {
            throw TakumiError(.unauthenticated, "this link has been used or has expired; open it from the console")
        }
        let cookie =
            "\(AppsAccess.cookie)=\(secret); Max-Age=\(Int(Directory.sessionLifetime)); Path=/; Secure; HttpOnly; SameSite=Lax"
        // To the same address without the ticket, which must not stay in the history.
        return redirect(303, to: LogInFirst.place(target), [("Set-Cookie", cookie)])
    }

    // MARK: - Answers

    private func redirect(_ status: Int, to place: String, _ headers: [(String, String)] = []) -> AppAnswer {
        .answer(status: status, headers: [("Location", place), ("Cache-Control", "no-store")] + headers, body: [])
    }

    private func refusal(_ error: any Error, _ request: AppRequest) -> AppAnswer {
        let errors = ErrorEnvelope.errors(of: error)
        let status = errors[0].status
        // That a program is not ready is no failure, and asked about every two seconds.
        if errors[0].code == .failed {
            logger.error("request failed", metadata: ["path": "\(request.path)", "error": "\(error)"])
        }
        if request.wantsPage, !request.isUpgrade {
            return AppErrorPage(errors: errors, isSafe: request.isSafe).answer
        }
        return .answer(
            status: status.code, headers: [("Content-Type", "application/json; charset=utf-8")],
            body: (try? ErrorEnvelope.body(errors)) ?? [])
    }
}
