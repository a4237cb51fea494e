import Hummingbird
import Identity
import Logging
import NIOCore

/// What a request carries through the middleware.
package struct TakumiContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    /// Who asks; set by `Authentication`.
    package var principal: Principal?

    package init(source: Source) {
        coreContext = .init(source: source)
    }

    /// Bytes of a JSON body. A training with a hundred hyperparameters of full length stays below half of it.
    package static let bodyLimit = 1 << 20
    package var maxUploadSize: Int { TakumiContext.bodyLimit }
}
