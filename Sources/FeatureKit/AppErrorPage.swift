import Console
import Gateway
import Resource
import Web

/// Says in a browser what is wrong with a program. Not a page of the console, which is on another origin: one that needs
/// nothing but itself.
struct AppErrorPage {
    var errors: [TakumiError]
    /// Whether the browser may ask again by itself.
    var isSafe: Bool

    var answer: AppAnswer {
        let status = errors[0].status
        let isWaiting = errors[0].code == .unavailable && isSafe
        let lines = errors.map { "<p>\($0.line.htmlEscaped)</p>" }.joined()
        let page = """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width">
            <meta name="color-scheme" content="light dark">
            \(isWaiting ? "<meta http-equiv=\"refresh\" content=\"2\">" : "")
            <title>\(isWaiting ? "One moment" : status.reasonPhrase) · Takumi</title>
            <style>body{font:16px/1.5 system-ui,sans-serif;margin:15vh auto;max-width:36em;padding:0 1em}</style>
            </head>
            <body><main><h1>\(isWaiting ? "One moment" : status.reasonPhrase)</h1>\(lines)</main></body>
            </html>

            """
        return .answer(
            status: status.code,
            headers: [
                ("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", "no-store"),
                ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
            ], body: Array(page.utf8))
    }
}
