/// Where the server is and who asks.
struct Connection: Sendable, Equatable {
    /// Without a slash at its end.
    var url: String
    var token: String
    /// The app key.
    var project: String
    /// PEM certificates to trust besides the system's.
    var caFile: String?
    /// True where the server was found through its home folder, and a refused connection means that it is not running.
    var isLocal: Bool
    /// The home folder as the user knows it (`~/.takumi`).
    var homeLabel: String
}

/// What choosing a connection needs to know of the machine. Handed in, so that the choice can be tested.
struct ConnectionSurroundings {
    var environment: [String: String]
    /// A file's text; nil where there is none.
    var read: (String) -> String?
    var isRunning: (_ pid: Int) -> Bool
}

extension Connection {
    /// An option wins over the environment, and the environment over the home folder.
    /// - Throws: `CommandFailure` that says what is missing and how to get it.
    static func resolve(
        home: String?, url: String?, token: String?, project: String?, caFile: String?,
        in surroundings: ConnectionSurroundings
    ) throws(CommandFailure) -> Connection {
        let environment = surroundings.environment
        func setting(_ option: String?, _ variable: String) -> String? {
            [option, environment[variable]].lazy.compactMap { $0 }.first { !$0.isEmpty }
        }
        let userHome = environment["HOME"] ?? ""
        let home = expanded(setting(home, "TAKUMI_HOME") ?? "~/.takumi", userHome: userHome)
        let label = abbreviated(home, userHome: userHome)
        let project = setting(project, "TAKUMI_PROJECT") ?? "default"
        let token = setting(token, "TAKUMI_TOKEN")
        let caFile = try certificates(caFile, home: home, userHome: userHome, in: surroundings)

        if let url = setting(url, "TAKUMI_URL") {
            guard let token else {
                // The token in the home folder is the local administrator's: it is not for whoever answers at a URL.
                throw .usage(
                    "--url needs a token: pass --token or set TAKUMI_TOKEN (on the server: takumi token create)")
            }
            return Connection(
                url: try checked(url), token: token, project: project, caFile: caFile, isLocal: false, homeLabel: label)
        }
        let server = try ServerFile.read(home: home, label: label, in: surroundings)
        guard let token = token ?? surroundings.read("\(home)/cli-token")?.trimmed, !token.isEmpty else {
            throw CommandFailure(
                "\(label)/cli-token is missing or not readable by you; pass --token, or make one with: takumi token create"
            )
        }
        return Connection(
            url: server.url, token: token, project: project, caFile: caFile, isLocal: true, homeLabel: label)
    }

    /// What to say where nobody answers.
    static func notRunning(_ homeLabel: String) -> CommandFailure {
        let start = homeLabel == "~/.takumi" ? "takumi serve" : "takumi serve --home \(homeLabel)"
        return .unavailable("no Takumi server is running for \(homeLabel); start it with: \(start)")
    }

    private static func checked(_ url: String) throws(CommandFailure) -> String {
        guard url.hasPrefix("http://") || url.hasPrefix("https://"), !url.contains("?"), !url.contains("#") else {
            throw .usage("--url '\(url)' is not an address; give it as http://HOST:PORT or https://HOST:PORT")
        }
        var url = url[...]
        while url.hasSuffix("/") { url = url.dropLast() }
        return String(url)
    }

    private static func certificates(
        _ option: String?, home: String, userHome: String, in surroundings: ConnectionSurroundings
    ) throws(CommandFailure) -> String? {
        guard let option else {
            let own = "\(home)/ca.pem"
            return surroundings.read(own) == nil ? nil : own
        }
        let path = expanded(option, userHome: userHome)
        guard surroundings.read(path) != nil else { throw .usage("--ca-file '\(option)' cannot be read") }
        return path
    }

    /// The shell leaves `~` alone in `--home=~/x` and in variables.
    static func expanded(_ path: String, userHome: String) -> String {
        if path == "~" { return userHome }
        return path.hasPrefix("~/") ? userHome + path.dropFirst() : path
    }

    static func abbreviated(_ path: String, userHome: String) -> String {
        guard !userHome.isEmpty, path.hasPrefix(userHome + "/") else { return path }
        return "~" + path.dropFirst(userHome.count)
    }
}

extension String {
    var trimmed: String {
        var text = self[...]
        while text.first?.isWhitespace == true { text = text.dropFirst() }
        while text.last?.isWhitespace == true { text = text.dropLast() }
        return String(text)
    }
}
