/// Finds an image or an instance type by what the user calls it.
enum Catalog {
    /// By exact name, by alias, or by id. A word in another case is taken too, where it means one only.
    static func image(_ word: String, in images: [JSONValue]) throws(CommandFailure) -> JSONValue {
        try pick(
            word, option: "--image", what: "image", list: "takumi image list", in: images,
            words: { [$0["imageId"].text, $0["imageName"].text, $0["alias"].text] },
            shown: { $0["alias"].string ?? $0["imageName"].text })
    }

    /// As `image`, of the images of notebooks; the words `-notebook` of an alias may be left out.
    static func notebookImage(_ word: String, in images: [JSONValue]) throws(CommandFailure) -> JSONValue {
        try pick(
            word, option: "--image", what: "notebook image", list: "takumi image list --type notebook", in: images,
            words: { image in
                let alias = image["alias"].text
                return [image["imageId"].text, image["imageName"].text, alias, shortened(alias)]
            },
            shown: { $0["alias"].string.map(shortened) ?? $0["imageName"].text })
    }

    /// `pytorch-gpu` of `pytorch-notebook-gpu`.
    private static func shortened(_ alias: String) -> String {
        alias.split(separator: "-").filter { $0 != "notebook" }.joined(separator: "-")
    }

    static func flavor(_ word: String, in flavors: [JSONValue]) throws(CommandFailure) -> JSONValue {
        try pick(
            word, option: "--instance", what: "instance type", list: "takumi flavor list", in: flavors,
            words: { [$0["id"].text, $0["name"].text] }, shown: { $0["name"].text })
    }

    /// For a list: whether this server can run it.
    static func runsHere(_ item: JSONValue) -> String {
        item["isRunnable"].bool == false ? "no: \(item["reason"].text)" : "yes"
    }

    /// What is wrong with choosing it; nil where the server can run it.
    static func refusal(_ item: JSONValue, option: String, name: String) -> String? {
        item["isRunnable"].bool == false ? "\(option): '\(name)' cannot run here: \(item["reason"].text)" : nil
    }

    /// What the server would refuse of an image on an instance type; nil where they fit.
    static func misfit(_ image: JSONValue, _ flavor: JSONValue) -> String? {
        let (name, type) = (image["imageName"].text, flavor["name"].text)
        let gpus = flavor["gpuCount"].int ?? 0
        guard let core = image["coreTypeCode"].string, (core == "GPU") != (gpus > 0) else { return nil }
        return "--instance: '\(type)' has \(Format.count(gpus, "GPU")) and does not fit the \(core) image '\(name)'"
    }

    /// What the server would refuse of the two together. Found here, it is found before anything is uploaded.
    static func misfits(_ image: JSONValue, _ flavor: JSONValue, _ settings: JobSettings) -> [String] {
        let (name, type) = (image["imageName"].text, flavor["name"].text)
        let gpus = flavor["gpuCount"].int ?? 0
        var problems = [misfit(image, flavor)].compactMap { $0 }
        if settings.torchrun == true, let framework = image["frameworkCode"].string, framework != "PYTORCH" {
            problems.append("--torchrun: is for PyTorch images; '\(name)' is not one")
        }
        let most = gpus > 0 ? gpus : flavor["vcpus"].int ?? 0
        if let processes = settings.nproc, most > 0, processes > most {
            problems.append("--nproc: \(processes) is out of range; '\(type)' allows 1 to \(most)")
        }
        return problems
    }

    private static func pick(
        _ word: String, option: String, what: String, list: String, in items: [JSONValue],
        words: (JSONValue) -> [String], shown: (JSONValue) -> String
    ) throws(CommandFailure) -> JSONValue {
        var found = items.filter { words($0).contains(word) }
        if found.isEmpty { found = items.filter { words($0).contains { $0.lowercased() == word.lowercased() } } }
        if let only = found.first, found.count == 1 { return only }
        guard found.isEmpty else {
            let ids = found.map { words($0)[0] }.joined(separator: ", ")
            throw CommandFailure("\(option): '\(word)' means \(found.count) of them; use the id of one: \(ids)")
        }
        guard !items.isEmpty else { throw CommandFailure("\(option): the server offers no \(what)") }
        // The nearest is judged by every word of an item; each is offered once, by the shortest of them.
        let offers = Nearest.options(to: word, among: items.flatMap { Array(words($0).dropFirst()) }, limit: 12)
        var options: [String] = []
        for offer in offers where !offer.isEmpty {
            guard let item = items.first(where: { words($0).contains(offer) }), !options.contains(shown(item)) else {
                continue
            }
            options.append(shown(item))
        }
        let nearest = options.prefix(5).map { "'\($0)'" }.joined(separator: ", ")
        throw CommandFailure("\(option): there is no \(what) '\(word)'; the nearest: \(nearest) (all: \(list))")
    }
}
