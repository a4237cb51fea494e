import ArgumentParser

/// How a command prints.
package enum OutputFormat: String, ExpressibleByArgument, CaseIterable, Sendable {
    case table
    case json
}

/// The options that every command of the client has.
package struct ClientOptions: ParsableArguments, Sendable {
    @Option(help: "The folder of the local server. [env: TAKUMI_HOME] (default: ~/.takumi)")
    package var home: String?

    @Option(help: "The address of a server elsewhere, such as https://takumi.example:8443. [env: TAKUMI_URL]")
    package var url: String?

    @Option(
        help: "An API token. On a shared machine prefer the environment: others can see arguments. [env: TAKUMI_TOKEN]")
    package var token: String?

    @Option(help: "The app key of the project. [env: TAKUMI_PROJECT] (default: default)")
    package var project: String?

    @Option(help: "Certificates, in PEM, to trust for https. (default: ca.pem in the home folder, where it exists)")
    package var caFile: String?

    @Option(help: "Print a table for people, or json for programs.")
    package var output: OutputFormat = .table

    package init() {}
}
