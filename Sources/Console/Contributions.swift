import Resource

/// An entry of the console's menu: one per section of what the product does.
package struct MenuEntry: Sendable {
    /// The key of its text is `menu.ID`.
    package var id: String
    package var icon: String
    /// Below `/projects/{appKey}/`.
    package var path: String
    /// Where it stands in the menu: the number of its section in SPEC.md, or above 60 for what has none.
    package var rank: Int
    /// Only for who administers the server. Then the path is one of the whole server.
    package var isForAdministrators = false

    package init(_ id: String, icon: String, path: String, rank: Int, isForAdministrators: Bool = false) {
        self.id = id
        self.icon = icon
        self.path = path
        self.rank = rank
        self.isForAdministrators = isForAdministrators
    }
}

/// A tab on the details of another feature's kind: the trainings of an experiment.
package struct RelatedTab: Sendable {
    package var kind: ResourceKind
    package var id: String
    /// The key of its name.
    package var name: String
    /// Below the heading that every page of the resource has.
    package var content: @Sendable (ResourceKey, Page) async throws -> (template: String, model: [String: Any])

    package init(
        _ kind: ResourceKind, id: String, name: String,
        content: @escaping @Sendable (ResourceKey, Page) async throws -> (template: String, model: [String: Any])
    ) {
        self.kind = kind
        self.id = id
        self.name = name
        self.content = content
    }
}

/// What a feature has to say on the dashboard (D-1, D-3).
package struct DashboardPart: Sendable {
    package struct Count: Sendable {
        package var label: String
        package var count: Int
        package var href: String

        package init(_ label: String, _ count: Int, href: String) {
            self.label = label
            self.count = count
            self.href = href
        }
    }

    /// What a running resource takes of what it was given.
    package struct Usage: Sendable {
        package var name: String
        package var href: String
        /// `CPU` or `GPU`.
        package var core: String
        /// 0 to 100.
        package var percent: Double
        /// "1.4 of 4 vCPU".
        package var detail: String

        package init(name: String, href: String, core: String, percent: Double, detail: String) {
            self.name = name
            self.href = href
            self.core = core
            self.percent = percent
            self.detail = detail
        }
    }

    /// How often something has been called, and with what success.
    package struct Calls: Sendable {
        package var id: String
        package var name: String
        package var href: String
        package var success: Int
        package var failure: Int

        package init(id: String, name: String, href: String, success: Int, failure: Int) {
            self.id = id
            self.name = name
            self.href = href
            self.success = success
            self.failure = failure
        }
    }

    package var counts: [Count] = []
    package var usages: [Usage] = []
    /// What is called most, first.
    package var calls: [Calls] = []
    /// Empty where there is nothing that could be called.
    package var callsTitle = ""
    /// What happened last, newest first.
    package var recent: [ListRow] = []
    /// Where to begin.
    package var actions: [Action] = []
    package var recentTitle = ""
    package var recentHref = ""

    package init() {}
}
