import Console
import Foundation
import HTTPTypes
import Hummingbird
import Resource
import Store
import Web

/// Creating and changing.
extension ResourcePages {
    // MARK: - Create

    func fresh(_ page: Page) async throws -> Response {
        try page.checkMayWrite()
        var copied: Type.Object?
        if let id = page.query["copy"] {
            let key = ResourceKey(names.kind, id.lowercased())
            guard let record = try await store.record(key, project: page.project) else { throw Store.missing(key) }
            copied = try record.decoded()
        }
        let form = try await type.form(page, copied: copied)
        var typed = copied.map { original in
            let name = String("\(original.metadata.name)-copy".prefix(Limits.name))
            var fields = type.fields(of: original, as: name)
            fields.set(names.nameField, name)
            return fields
        }
        if typed == nil, let prefilled = try await type.prefilled(page) {
            // What the form itself proposes stays where the other says nothing.
            typed = form.proposals(beneath: prefilled)
        }
        return try await show(form, page, typed: typed)
    }

    func create(_ page: Page) async throws -> Response {
        let form = try await type.form(page, copied: nil)
        let typed = form.tidied(page.browser.form)
        do {
            let body = try JSONDecoder().decode(Type.Create.self, from: type.body(typed, form))
            let draft = try await type.draft(body, project: page.project ?? "")
            let resource = try await routes.insert(draft, project: page.project ?? "", by: page.principal)
            return page.redirect(
                to: type.address(resource.id, page),
                notice: page.t("\(names.singular).created", ["name": resource.metadata.name]))
        } catch {
            guard let errors = FormErrors.of(error) else { throw error }
            let explained = errors.map { type.explained($0, typed, page.t) }
            return try await show(form, page, typed: typed, errors: explained)
        }
    }

    private func show(_ form: Form, _ page: Page, typed: FormFields?, errors: [TakumiError] = []) async throws
        -> Response
    {
        var form = form
        form.action = "\(page.base)/\(names.collection)"
        let title = page.t("\(names.singular).new")
        return try await show(
            form, page, title: title, heading: title, typed: typed, errors: errors,
            crumbs: try await type.formCrumbs(page) ?? crumbs(page),
            more: try await type.chooser(page).map { ["chooser": $0] } ?? [:])
    }

    fileprivate func show(
        _ form: Form, _ page: Page, title: String, heading: String, typed: FormFields?, errors: [TakumiError],
        crumbs: [[String: String]], more: [String: Any] = [:]
    ) async throws -> Response {
        let model: [String: Any] = [
            "heading": heading, "crumb": true, "crumbs": crumbs,
            "form": form.model(page.t, typed: typed, errors: errors),
        ].merging(more) { $1 }
        return try await page.respond(
            "form", model, title: title, section: section, status: errors.isEmpty ? .ok : .unprocessableContent)
    }

    // MARK: - Change

    private func editForm(_ resource: Type.Object, _ page: Page) -> Form {
        let t = page.t
        return Form(
            [
                FieldGroup(
                    t("detail.about"),
                    [
                        [Field(names.nameField, t("field.name"))],
                        [Field("description", t("field.description"), .area, isOptional: true)],
                        [.tags(t)],
                    ])
            ], submit: t("form.save"), cancel: type.address(resource.id, page))
    }

    func edit(_ page: Page, _ context: TakumiContext) async throws -> Response {
        try page.checkMayWrite()
        let resource = try await routes.resource(context)
        let metadata = resource.metadata
        if type.isEditable {
            var typed = type.fields(of: resource, as: metadata.name)
            typed.set(names.nameField, metadata.name)
            return try await show(try await wholeForm(resource, page), of: resource, page, typed: typed)
        }
        let typed = FormFields(
            [(names.nameField, metadata.name), ("description", metadata.description)] + FormFields.tags(metadata.tags))
        return try await show(editForm(resource, page), of: resource, page, typed: typed)
    }

    func change(_ page: Page, _ context: TakumiContext) async throws -> Response {
        let resource = try await routes.resource(context)
        if type.isEditable { return try await replace(resource, page) }
        let fields = editForm(resource, page).tidied(page.browser.form)
        let tags = (0..<fields.rowCount("tagList")).map { row in
            Tag(key: fields["tagList[\(row)].tagKey"] ?? "", value: fields["tagList[\(row)].tagValue"] ?? "")
        }
        do {
            _ = try await routes.change(
                resource, name: fields[names.nameField] ?? "", description: fields["description"] ?? "", tags: tags)
            return page.redirect(to: type.address(resource.id, page), notice: page.t("notice.saved"))
        } catch {
            guard let errors = FormErrors.of(error) else { throw error }
            return try await show(editForm(resource, page), of: resource, page, typed: fields, errors: errors)
        }
    }

    /// The form of creating, filled with what is there.
    private func wholeForm(_ resource: Type.Object, _ page: Page) async throws -> Form {
        var form = try await type.form(page, copied: resource)
        form.submit = page.t("form.save")
        form.cancel = type.address(resource.id, page)
        return form
    }

    private func replace(_ resource: Type.Object, _ page: Page) async throws -> Response {
        let form = try await wholeForm(resource, page)
        let typed = form.tidied(page.browser.form)
        do {
            let body = try JSONDecoder().decode(Type.Create.self, from: type.body(typed, form))
            let draft = try await type.draft(body, project: page.project ?? "")
            _ = try await routes.replace(resource, by: draft)
            return page.redirect(to: type.address(resource.id, page), notice: page.t("notice.saved"))
        } catch {
            guard let errors = FormErrors.of(error) else { throw error }
            return try await show(form, of: resource, page, typed: typed, errors: errors)
        }
    }

    private func show(
        _ form: Form, of resource: Type.Object, _ page: Page, typed: FormFields, errors: [TakumiError] = []
    ) async throws -> Response {
        let name = resource.metadata.name
        return try await show(
            form, page, title: name, heading: page.t("action.editOf", ["name": name]), typed: typed, errors: errors,
            crumbs: try await type.crumbs(resource, page) ?? crumbs(page))
    }
}

// MARK: - Forms of a kind's own

extension ResourcePages {
    /// A form of one resource's, at an address of its own below the resource's.
    ///
    /// - Parameters:
    ///   - name: the address's last part; `{kind}.{name}` is its title.
    ///   - refusal: why there is nothing to fill in now; nil where there is.
    ///   - filled: what it holds at first.
    ///   - send: does what was asked, and returns where to go then and what to say there.
    package func add(
        to one: RouterGroup<TakumiContext>, form name: String,
        refusal: @escaping @Sendable (Type.Object, Page) -> String? = { _, _ in nil },
        _ form: @escaping @Sendable (Type.Object, Page) async throws -> Form,
        filled: @escaping @Sendable (Type.Object) -> FormFields? = { _ in nil },
        send: @escaping @Sendable (Type.Object, Form, FormFields, Page) async throws -> (to: String, notice: String)
    ) {
        one.group(RouterPath(name))
            .get { request, context in
                let (resource, page) = try await loadToChange(request, context)
                if let refusal = refusal(resource, page) { return try await refuse(name, refusal, resource, page) }
                return try await show(
                    name, try await form(resource, page), resource, page, typed: filled(resource), errors: [])
            }
            .post { request, context in
                let (resource, page) = try await loadToChange(request, context)
                let form = try await form(resource, page)
                let typed = form.tidied(page.browser.form)
                do {
                    let sent = try await send(resource, form, typed, page)
                    return page.redirect(to: sent.to, notice: sent.notice)
                } catch {
                    guard let errors = FormErrors.of(error) else { throw error }
                    return try await show(name, form, resource, page, typed: typed, errors: errors)
                }
            }
    }

    private func refuse(_ name: String, _ refusal: String, _ resource: Type.Object, _ page: Page) async throws
        -> Response
    {
        let confirmation = Confirmation(
            title: title(name, resource, page), text: "", button: "", refusal: refusal,
            back: type.address(resource.id, page))
        return try await page.respond("confirm", confirmation.model, title: confirmation.title, section: section)
    }

    private func title(_ name: String, _ resource: Type.Object, _ page: Page) -> String {
        page.t("\(names.singular).\(name)", ["name": resource.metadata.name])
    }

    private func show(
        _ name: String, _ form: Form, _ resource: Type.Object, _ page: Page, typed: FormFields?, errors: [TakumiError]
    ) async throws -> Response {
        let title = title(name, resource, page)
        let address = type.address(resource.id, page)
        var form = form
        form.cancel = address
        form.action = "\(address)/\(name)"
        return try await show(
            form, page, title: title, heading: title, typed: typed, errors: errors,
            crumbs: try await way(to: resource, page))
    }

    /// What stands above a page below a resource's.
    package func way(to resource: Type.Object, _ page: Page) async throws -> [[String: String]] {
        (try await type.crumbs(resource, page) ?? crumbs(page)) + [
            ["name": resource.metadata.name, "href": type.address(resource.id, page)]
        ]
    }
}

/// What a form can show beside its fields; nil for what is not the form's fault.
package enum FormErrors {
    package static func of(_ error: any Error) -> [TakumiError]? {
        switch error {
        case let error as ValidationErrors: error.errors
        case let error as DecodingError: [DecodingProblem.explained(error)]
        case let error as TakumiError where [.invalid, .conflict, .unavailable].contains(error.code): [error]
        default: nil
        }
    }
}

extension FormFields {
    /// As the rows of a form's tags.
    package static func tags(_ tags: [Tag]) -> [(name: String, value: String)] {
        tags.enumerated().flatMap { index, tag in
            [("tagList[\(index)].tagKey", tag.key), ("tagList[\(index)].tagValue", tag.value)]
        }
    }
}

extension Field {
    /// The tags of a resource (C-2).
    package static func tags(_ t: Strings) -> Field {
        Field(
            "tagList", t("field.tags"),
            .rows(
                [
                    Field("tagKey", t("field.tagKey"), placeholder: t("field.tagKey")),
                    Field("tagValue", t("field.tagValue"), placeholder: t("field.tagValue")),
                ], add: t("field.addTag")), hint: t("field.tagsHint"))
    }
}
