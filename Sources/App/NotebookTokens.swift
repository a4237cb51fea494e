import Identity

/// Tokens with which a notebook's programs use the API: members of its project, as long as it runs.
struct NotebookTokens: Sendable {
    let directory: Directory

    /// In place of the one before.
    func issue(_ notebook: String, _ project: String) async throws -> String {
        try await revoke(notebook)
        return try await directory.createToken(
            .api, user: "notebook", project: project, role: .member, label: label(notebook)
        ).secret
    }

    func revoke(_ notebook: String) async throws {
        for token in try await directory.apiTokens() where token.spec.label == label(notebook) {
            try await directory.revoke(token)
        }
    }

    private func label(_ notebook: String) -> String { "notebook \(notebook)" }
}
