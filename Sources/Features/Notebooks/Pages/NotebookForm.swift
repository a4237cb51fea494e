import Catalog
import Console
import FeatureKit
import JobKit
import Resource
import Web

/// The form of a notebook: everything of N-1.
extension NotebookType {
    func form(_ page: Page, copied: Notebook?) async throws -> Form {
        let t = page.t
        let parts = JobForm(checks: checks, store: store)
        return Form(
            [
                FieldGroup(
                    t("detail.about"),
                    [
                        [Field(names.nameField, t("field.name"), hint: t("notebook.nameHint"))],
                        [Field("description", t("field.description"), .area, isOptional: true)],
                    ]),
                FieldGroup(
                    t("training.resources"),
                    [[parts.image(t, .notebook, preferring: .python)]] + (await parts.resources(t, counts: []))),
                FieldGroup(
                    t("notebook.storage"), hint: t("notebook.storageHint"),
                    [
                        [
                            Field(
                                "dataStorageSize", t("notebook.dataSize"), .number(NotebookCreate.sizes),
                                hint: t("notebook.dataHint"), value: "20"),
                            Field(
                                "bootStorageSize", t("notebook.bootSize"), .number(NotebookCreate.sizes),
                                hint: t("notebook.bootHint"), value: "\(NotebookCreate.usualBootSize)"),
                        ],
                        [
                            Field(
                                "nasList", t("notebook.nas"),
                                .rows(
                                    [
                                        Field("mountDirName", t("notebook.mountDirectory"), placeholder: "shared"),
                                        Field("nasPath", t("notebook.nasPath"), placeholder: "nas://…:/data"),
                                    ], add: t("notebook.addNAS")), hint: t("notebook.nasHint"))
                        ],
                    ]),
                FieldGroup(
                    t("training.extra"), isFolded: true,
                    NotebookType.idleFields(t) + [[.tags(t)]]),
            ], submit: t("notebook.new"), cancel: "\(page.base)/\(names.collection)")
    }

    static func idleFields(_ t: Strings) -> [[Field]] {
        [
            [
                Field(
                    "idleStopMinutes", t("notebook.idleMinutes"), .number(NotebookIdleStop.range),
                    hint: t("notebook.idleHint"), isOptional: true)
            ],
            [
                Field(
                    "idleStopIgnoresConnections", t("notebook.idleIgnore"), .check, hint: t("notebook.idleIgnoreHint"))
            ],
        ]
    }

    func fields(of notebook: Notebook, as name: String) -> FormFields { FormFields([]) }
}
