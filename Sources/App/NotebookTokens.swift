import Identity

/// Tokens with which a notebook's programs use the API: members of its project, as long as it runs.
struct NotebookTokens: Sendable {
    let directory: Directory

    /// In place of the one before.
    /// - Parameter owner: the id of the user whose rights it has; nil where a token of nobody's asked for the notebook.
    func issue(_ notebook: String, _ project: String, _ owner: String?) async throws -> String {
        try await revoke(notebook)
        return try await directory.createToken(
            .notebook, user: "notebook", project: project, role: .member, owner: owner, label: label(notebook)
        ).secret
    }

    func revoke(_ notebook: String) async throws {
        for token in try await directory.apiTokens()
        where token.spec.purpose == .notebook && token.spec.label == label(notebook) {
            try await directory.revoke(token)
        }
    }

    private func label(_ notebook: String) -> String { "notebook \(notebook)" }
}
