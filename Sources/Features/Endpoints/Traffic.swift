import Gateway

/// What endpoints need of the gateway. `App` hands in the real one.
package protocol Traffic: Sendable {
    /// Takes effect for the next request.
    func publish(_ table: RouteTable)
    /// Requests on their way to a pod.
    func inFlight(_ backend: String) -> Int
    /// Since the server's start.
    func requests(of stage: String, resource: String) -> Int
    func statistics(of stage: String) -> StageStatistics
    /// Its statistics go.
    func forget(_ stage: String)
}
