import HTTPTypes
import Hummingbird
import NIOCore
import Resource
import Web

/// Serves stylesheet, scripts and icons under a name that changes with them.
package struct AssetRoutes: Sendable {
    private let pages: Pages

    package init(pages: Pages) { self.pages = pages }

    package func add(to router: some RouterMethods<TakumiContext>) {
        router.get("assets/{version}/**") { request, context in
            let renderer = pages.renderer
            let name = context.parameters.getCatchAll().joined(separator: "/")
            // VERSION-LANGUAGE: what scripts import as `./strings.js` is the table of the page's language.
            let version = try context.parameters.require("version").split(separator: "-")
            let language = version.last.flatMap { Language(rawValue: String($0)) } ?? .english
            let file = name == "scripts/strings.js" ? "scripts/strings-\(language.rawValue).js" : name
            guard let asset = renderer.assets[file] else { throw TakumiError(.notFound, "there is no such file") }
            let isCurrent = version.first.map { $0 == renderer.version } ?? false
            return Response(
                status: .ok,
                headers: [
                    .contentType: asset.type,
                    .cacheControl: isCurrent ? "public, max-age=31536000, immutable" : "no-cache",
                ], body: .init(byteBuffer: ByteBuffer(bytes: asset.content)))
        }
    }
}
