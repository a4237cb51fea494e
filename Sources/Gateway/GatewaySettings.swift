package struct GatewaySettings: Sendable {
    /// The address to listen on.
    package var host: String
    /// 0: any free one.
    package var port: Int
    /// PEM file of the server's certificate chain.
    package var certificate: String
    /// PEM file of its key.
    package var key: String
    /// Folder of the statistics: one JSON file a stage, written every 10 s and at the end.
    package var statistics: String
    /// Event loops.
    package var threads: Int
    /// Bytes of a request's body.
    package var bodyLimit: Int
    /// Seconds that an answer's head may take, counted from the request's last byte.
    package var timeout: Int

    package init(
        host: String, port: Int, certificate: String, key: String, statistics: String, threads: Int,
        bodyLimit: Int = 1 << 30, timeout: Int = 120
    ) {
        self.host = host
        self.port = port
        self.certificate = certificate
        self.key = key
        self.statistics = statistics
        self.threads = threads
        self.bodyLimit = bodyLimit
        self.timeout = timeout
    }
}
