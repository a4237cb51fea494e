import Console
import Foundation
import Resource
import Store
import Web

/// What a kind adds to have pages: columns, facts, tabs, actions, a form. Lists, details, history, change, deletion and
/// their routes are the same for all (`ResourcePages`).
///
/// Texts of a kind have keys that begin with its wire name: `training.title`, `training.field.trainingName`.
package protocol PagedType: ResourceType {
    var icon: String { get }
    /// The id of the menu's entry that its pages belong to.
    var section: String { get }
    /// Further filters of the list, by their names in the address.
    var filterNames: [String] { get }
    /// Kinds of its parts, whose changes show on its pages.
    var parts: [ResourceKind] { get }
    /// Whether there is a page where name, description and tags are changed.
    var hasEdit: Bool { get }

    /// Its state, in the head of its pages.
    func badge(_ resource: Object) -> Badge
    func columns(_ t: Strings) -> [Column]
    /// As many as there are columns. The first leads to the details.
    func cells(_ resource: Object, _ wire: Wire, _ page: Page) -> [Cell]
    func filters(_ page: Page) async throws -> [Listing.Filter]
    /// What rows can be picked for.
    func pick(_ page: Page) -> (name: String, action: String)?

    /// Where more is told of why it failed.
    func causeLink(_ resource: Object, _ page: Page) -> Action?
    func cards(_ resource: Object, _ wire: Wire, _ page: Page) async throws -> [FactCard]
    /// Tabs between the overview, which is the first, and the history, which is the last.
    func tabs(_ t: Strings) -> [Tab]
    /// Why one of them cannot be opened at the moment; nil where it can.
    func refusal(ofTab id: String, _ resource: Object, _ t: Strings) -> String?
    /// The way back from its details; nil for the list of its kind.
    func crumbs(_ resource: Object, _ page: Page) async throws -> [[String: String]]?
    /// Beside change and delete.
    func actions(_ resource: Object, _ page: Page) async throws -> [Action]
    /// Below the facts of the details: how to use it.
    func examples(_ resource: Object, _ wire: Wire, _ page: Page) -> [Snippet]
    /// What must be confirmed before a `POST` of the kind's own, by the last part of its address.
    func confirmation(_ action: String, _ resource: Object, _ page: Page) -> Confirmation?
    func perform(_ action: String, _ resource: Object, _ page: Page) async throws

    /// - Parameter copied: whose settings to start from.
    func form(_ page: Page, copied: Object?) async throws -> Form
    /// The way back from the form of creating; nil for the list of its kind.
    func formCrumbs(_ page: Page) async throws -> [[String: String]]?
    /// The request that a tidied form stands for.
    func body(_ typed: FormFields, _ form: Form) throws -> Data
    /// The same settings as the form would hold them, for a copy of another name.
    func fields(of resource: Object, as name: String) -> FormFields
    /// What a fresh form holds besides its own proposals; nil for nothing.
    func prefilled(_ page: Page) async throws -> FormFields?
    /// Of `parts/template-chooser`, above the form of creating; nil for none.
    func chooser(_ page: Page) async throws -> [String: Any]?
    /// A refusal of `draft` in the words of the form, where those of the API say little to who has typed it.
    func explained(_ error: TakumiError, _ typed: FormFields, _ t: Strings) -> TakumiError
    /// For who has none yet.
    func snippets(_ page: Page) -> [Snippet]
}

extension PagedType {
    package var section: String { names.collection }
    package var filterNames: [String] { [] }
    package var parts: [ResourceKind] { [] }
    package var hasEdit: Bool { true }
    package func badge(_ resource: Object) -> Badge { Badge(resource.status.phase, cause: resource.status.cause) }
    package func examples(_ resource: Object, _ wire: Wire, _ page: Page) -> [Snippet] { [] }
    package func formCrumbs(_ page: Page) async throws -> [[String: String]]? { nil }
    package func body(_ typed: FormFields, _ form: Form) throws -> Data { form.json(typed) }
    package func filters(_ page: Page) async throws -> [Listing.Filter] { [] }
    package func pick(_ page: Page) -> (name: String, action: String)? { nil }
    package func causeLink(_ resource: Object, _ page: Page) -> Action? { nil }
    package func explained(_ error: TakumiError, _ typed: FormFields, _ t: Strings) -> TakumiError { error }
    package func prefilled(_ page: Page) async throws -> FormFields? { nil }
    package func chooser(_ page: Page) async throws -> [String: Any]? { nil }
    package func tabs(_ t: Strings) -> [Tab] { [] }
    package func refusal(ofTab id: String, _ resource: Object, _ t: Strings) -> String? { nil }
    package func crumbs(_ resource: Object, _ page: Page) -> [[String: String]]? { nil }
    package func actions(_ resource: Object, _ page: Page) -> [Action] { [] }
    package func confirmation(_ action: String, _ resource: Object, _ page: Page) -> Confirmation? { nil }
    package func perform(_ action: String, _ resource: Object, _ page: Page) async throws {}

    /// Of one resource of this kind.
    package func address(_ id: String, _ page: Page) -> String { "\(page.base)/\(names.collection)/\(id)" }
}

extension PagedType where Create == NoBody {
    package func form(_ page: Page, copied: Object?) async throws -> Form { Form([], submit: "") }
    package func fields(of resource: Object, as name: String) -> FormFields { FormFields([]) }
    package func snippets(_ page: Page) -> [Snippet] { [] }
}
