import HTTPTypes
import Hummingbird
import Identity
import Resource
import Web

/// Logs a browser in with the one-time link, until the console brings passwords.
struct LoginRoutes {
    let directory: Directory

    func add(to router: Router<TakumiContext>) {
        router.get("login") { request, _ in
            let token = QueryItems(request)["token"] ?? ""
            guard let session = try await directory.redeem(login: token) else {
                throw TakumiError(
                    .unauthenticated, "this link has been used or has expired; get a new one with: takumi login")
            }
            var response = page("You are logged in", "TensorBoard links of your trainings now open in this browser.")
            // Not Secure: the same cookie serves the plain port, which is on loopback unless configured otherwise.
            response.setCookie(
                Cookie(
                    name: Authentication.cookie, value: session, maxAge: 7 * 24 * 3600, path: "/", httpOnly: true,
                    sameSite: .lax))
            return response
        }
        router.get("/") { _, context in
            context.principal == nil
                ? page("Takumi", "Run <code>takumi login</code> and open the link that it prints.")
                : page("Takumi", "You are logged in. Follow your trainings with <code>takumi training list</code>.")
        }
    }

    /// Takes no user's text.
    private func page(_ title: String, _ text: String) -> Response {
        let html = """
            <!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
            <title>\(title)</title><meta name="color-scheme" content="light dark">
            <body style="font: 16px/1.5 system-ui; max-width: 40rem; margin: 20vh auto; padding: 0 1rem">
            <h1>\(title)</h1><p>\(text)</p></body></html>
            """
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/html; charset=utf-8", .cacheControl: "no-store",
                .contentSecurityPolicy: "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
            ], body: .init(byteBuffer: .init(string: html)))
    }
}
