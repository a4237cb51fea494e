/// The states of models, endpoints, stages and what these serve have this much in common. A code of a newer server is
/// none of them, and counts as unsettled.
enum ServingState {
    /// True where it stays as it is.
    static func isSettled(_ code: String) -> Bool { code == "ACTIVE" || hasFailed(code) }
    static func hasFailed(_ code: String) -> Bool { code.hasSuffix("_FAILED") }
}
