import Hummingbird
import Identity
import Logging
import NIOCore

/// What a request carries through the middleware.
package struct TakumiContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    /// Who asks; set by `Authentication`, and for the console's pages by its own middleware.
    package var principal: Principal?
    /// What a browser brings to the console's pages; nil elsewhere.
    package var browser: Browser?
    /// The address of the other end.
    package let address: String

    package init(source: Source) {
        coreContext = .init(source: source)
        address = source.channel.remoteAddress?.ipAddress ?? ""
    }

    /// Bytes of a JSON body. A training with a hundred hyperparameters of full length stays below half of it.
    package static let bodyLimit = 1 << 20
    package var maxUploadSize: Int { TakumiContext.bodyLimit }
}
