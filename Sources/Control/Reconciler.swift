import Resource

/// Brings the resources of one kind to what their specs ask for.
///
/// It gets a key and never an event: it loads the resource, compares, acts, writes the status, and may be called at any
/// time, any number of times, also after the server was killed halfway through the last call.
package protocol Reconciler: Sendable {
    var kind: ResourceKind { get }
    /// - Returns: when to call again although nothing was written (to poll something outside), or nil.
    func reconcile(_ key: ResourceKey) async throws -> Duration?
}
