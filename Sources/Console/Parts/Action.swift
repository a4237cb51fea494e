/// What a user can do on a page: a link, looking like a button.
package struct Action: Sendable {
    package enum Look: String, Sendable { case plain, primary, danger }

    package var name: String
    package var href: String
    package var look: Look
    /// Shown above the page where scripts run, else a page of its own.
    package var isDialog: Bool
    /// In a new window.
    package var isExternal: Bool
    package var icon: String?

    package init(
        _ name: String, href: String, look: Look = .plain, isDialog: Bool = false, isExternal: Bool = false,
        icon: String? = nil
    ) {
        self.name = name
        self.href = href
        self.look = look
        self.isDialog = isDialog
        self.isExternal = isExternal
        self.icon = icon
    }

    package var model: [String: Any] {
        var model: [String: Any] = [
            // The same button keeps its id, and with it the focus, when a live update adds or takes away others.
            "id": "action-" + (href.split(separator: "?").first?.split(separator: "/").last.map(String.init) ?? ""),
            "name": name, "href": href, "class": look == .plain ? "" : look.rawValue, "isDialog": isDialog,
            "isExternal": isExternal,
        ]
        if let icon { model["icon"] = icon }
        return model
    }
}

/// A tab of a page of details.
package struct Tab: Sendable {
    /// The last part of its address; empty for the first tab.
    package var id: String
    package var name: String

    package init(_ id: String, _ name: String) {
        self.id = id
        self.name = name
    }
}

/// How to do the same from the command line and with the SDK.
package struct Snippet: Sendable {
    package var title: String
    package var code: String

    package init(_ title: String, _ code: String) {
        self.title = title
        self.code = code
    }

    package var model: [String: Any] { ["title": title, "code": code] }
}

/// A question before something that cannot be undone.
package struct Confirmation: Sendable {
    package var title: String
    package var text: String
    package var button: String
    package var isDanger: Bool
    /// What else the user should know of: dependents, with the address of each.
    package var dependents: [(name: String, href: String?, badge: Badge)]
    /// Shown above the dependents.
    package var dependentsTitle: String
    /// How many more there are than are shown.
    package var more: String?
    /// Why it cannot be done now; then there is no button.
    package var refusal: String?
    package var back: String

    package init(
        title: String, text: String, button: String, isDanger: Bool = true,
        dependents: [(name: String, href: String?, badge: Badge)] = [], dependentsTitle: String = "",
        more: String? = nil, refusal: String? = nil, back: String
    ) {
        self.title = title
        self.text = text
        self.button = button
        self.isDanger = isDanger
        self.dependents = dependents
        self.dependentsTitle = dependentsTitle
        self.more = more
        self.refusal = refusal
        self.back = back
    }

    package var model: [String: Any] {
        var model: [String: Any] = [
            "title": title, "text": text, "button": button, "isDanger": isDanger, "back": back,
            "dependentsTitle": dependentsTitle,
            "dependents": dependents.map { item -> [String: Any] in
                var model: [String: Any] = ["name": item.name, "badge": item.badge.model]
                if let href = item.href { model["href"] = href }
                return model
            },
            "hasDependents": !dependents.isEmpty, "mayDo": refusal == nil,
        ]
        if let refusal { model["refusal"] = refusal }
        if let more { model["more"] = more }
        return model
    }
}
