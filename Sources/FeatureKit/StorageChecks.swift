/// What a request must know of storage before it is accepted. Every refusal names the field and the remedy.
package protocol StorageChecks: Sendable {
    /// The service may read what lies at a URI, and something is there.
    func checkReadable(_ uri: String, project: String, field: String) async throws
    /// The service may write below a URI.
    func checkWritable(_ uri: String, project: String, field: String) async throws
    /// A file of this name lies directly below or deeper in the folder at a URI.
    func checkContains(_ uri: String, file: String, project: String, field: String) async throws
    /// Where a project's files go unless its users say otherwise: the URI of a folder that may be written to.
    func defaultPlace(project: String) async throws -> String
}
