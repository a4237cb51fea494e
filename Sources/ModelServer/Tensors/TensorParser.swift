import CTensors

/// CTensors' parser: its memory, and the sentence about what failed.
final class TensorParser {
    let pointer: OpaquePointer

    init() {
        guard let pointer = takumi_parser_new() else { fatalError("out of memory") }
        self.pointer = pointer
    }

    deinit { takumi_parser_free(pointer) }

    /// Why the last call failed. Cut-off UTF-8 in quoted input is repaired.
    var error: String {
        takumi_parser_error(pointer).map { String(cString: $0) } ?? ""
    }
}
