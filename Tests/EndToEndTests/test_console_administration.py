"""Who may do what in the console: users, roles, projects, and the tokens that users make for themselves."""

import re

import pytest
from playwright.sync_api import expect

from client import API, unique
from console import PASSWORD, Window, new_user, site


def give_role(window: Window, user: str, label: str) -> None:
    """With the form, as an administrator."""
    window.open("/administration/users")
    window.page.get_by_role("link", name=user, exact=True).click()
    window.page.get_by_label(label).check()
    window.submit("Save")
    expect(window.toast()).to_contain_text("Saved")


def test_a_new_user_comes_in_by_link_and_sets_a_password(admin, console, windows):
    """Created, given a role and a link by the administrator; the link logs in once, to the one project of the role."""
    name = unique("hana")
    admin.open("/administration/users")
    admin.fill(userName=name)
    admin.submit("Create user")
    expect(admin.toast()).to_contain_text(f"User {name} created")
    assert admin.heading() == name
    admin.page.get_by_label("other: Member").check()
    admin.submit("Save")
    expect(admin.page.get_by_label("other: Member")).to_be_checked()
    admin.submit("Make a link")
    link = admin.page.locator("pre code").inner_text()
    assert link.startswith(f"{console.server.url}/login?token="), link

    window = windows(console.server, user=None, project="other")
    window.page.goto(link)
    window.page.wait_for_url("**/projects/other")
    expect(window.page.locator(".switcher").first.locator("li")).to_have_count(1)
    assert "Administration" not in window.page.locator("nav.sidebar").inner_text()
    assert windows(console.server, user=None).page.goto(link).status == 401, "the link works twice"
    window.open("experiments/new")
    window.open("/projects/default", status=404)
    window.open("/administration/users", status=404)
    window.open("/administration/projects", status=404)
    window.open("/account")
    window.fill(password=PASSWORD, repeated=PASSWORD)
    window.submit("Set password")
    expect(window.toast()).to_contain_text("The password is set")

    admin.open("/administration/users")
    row = admin.page.locator("tr", has_text=name)
    expect(row).to_contain_text("other")
    row.get_by_role("link", name=name).click()
    dialog = admin.dialog("Delete")
    expect(dialog).to_contain_text("sessions and tokens end")
    dialog.get_by_role("button", name="Delete").click()
    expect(admin.toast()).to_contain_text(f"User {name} deleted")
    window.page.goto("/projects/other")
    expect(window.page).to_have_url(re.compile("/login"))


@pytest.mark.parametrize("name", ["", "a b", "-x", "x" * 51, "admin", "<b>x</b>"])
def test_names_that_users_cannot_have(admin, name):
    admin.open("/administration/users")
    admin.fill(userName=name)
    admin.submit("Create user")
    expect(admin.error_of("userName")).not_to_be_empty()
    expect(admin.field("userName")).to_have_value(name)
    expect(admin.field("userName")).to_have_attribute("aria-invalid", "true")


def test_the_last_administrator_stays(admin, console):
    """Neither the role nor the user can be taken away while nobody else administers the server; the page says why."""
    users = site(console.server).call("GET", "/v1.0/users")["userList"]
    assert [user["userName"] for user in users if user["isAdministrator"]] == ["admin"], users
    admin.open("/administration/users")
    admin.page.get_by_role("link", name="admin", exact=True).click()
    admin.page.get_by_label("Administers this server").uncheck()
    admin.submit("Save")
    expect(admin.main).to_contain_text("is the only administrator")
    admin.page.go_back()
    admin.confirm("Delete")
    expect(admin.main).to_contain_text("is the only administrator")
    admin.open("/administration/users")


# MARK: - Roles


def everything_that_changes(console: API) -> dict[str, str]:
    """Every address of a project that takes a POST or a PUT."""
    training = console.train("print('hi')")
    training.wait()
    experiment, container = console.experiment, console.storage["defaultContainer"]
    posts = [
        "experiments", f"experiments/{experiment}/edit", f"experiments/{experiment}/delete",
        f"experiments/{experiment}/do/retry", "trainings", f"{training.path}/edit", f"{training.path}/delete",
        f"{training.path}/do/stop", "storage", f"storage/containers/{container}/", f"storage/policy/{container}",
        f"storage/delete?container={container}&name=x",
    ]  # fmt: skip
    return {place: "POST" for place in posts} | {f"storage/files/{container}/x": "PUT"}


def test_a_viewer_looks_and_does_not_touch(console, windows):
    """A viewer sees no button that changes anything, no form, and is refused whatever is sent by hand."""
    changes = everything_that_changes(console)
    viewer = windows(console.server, new_user(console.server, "viewer"))
    training = next(place for place in changes if place.startswith("trainings/")).rsplit("/", 1)[0]
    container = console.storage["defaultContainer"]
    pages = ["", "experiments", f"experiments/{console.experiment}", "trainings", training, f"{training}/log"]
    pages += ["images", "storage", f"storage/containers/{container}/", "nas", "events", f"{training}/files"]
    names = re.compile(r"\b(Create|Copy|Edit|Delete|Stop|Retry|Upload|Access policy|Save)\b")
    for place in pages:
        viewer.open(place)
        main = viewer.page.locator("main")
        changing = main.get_by_role("link", name=names).or_(main.locator("form[method=post], [data-upload]"))
        assert changing.count() == 0, f"{place}: {[one.inner_text() for one in changing.all()]}"
    for place in ("experiments/new", "trainings/new", f"{training}/edit", f"{training}/delete", f"{training}/do/stop"):
        viewer.open(place, status=403)
        assert viewer.heading() == "You may not do this", f"{place}: {viewer.heading()}"
    token = {"X-CSRF-Token": viewer.csrf()}
    for place, method in changes.items():
        refused = viewer.ask(method, place, headers=token, data="")
        assert refused.status == 403, f"{method} {place}: {refused.status}: {refused.text()}"
    assert console.get(training)["training"]["trainingId"]


def test_another_projects_pages_are_not_there(console, windows):
    """A member of one project gets 404 for every page, stream and file of another, as for one that does not exist."""
    changes = everything_that_changes(console)
    stranger = windows(console.server, new_user(console.server, "member", project="other"), project="other")
    training = next(place for place in changes if place.startswith("trainings/")).rsplit("/", 1)[0]
    container = console.storage["defaultContainer"]
    places = ["", "trainings", training, f"{training}/log", f"{training}/log/lines", f"{training}/log/download"]
    places += [f"{training}/live", "live?kind=training", f"{training}/samples", f"{training}/curves", "storage", "nas"]
    places += [f"{training}/tensorboard", "events", "storage/browse", f"storage/containers/{container}/", "nas/shared"]
    stranger.open()
    texts = {}
    for project in ("default", "no-such-project"):
        for place in places:
            answer = stranger.ask("GET", f"/projects/{project}/{place}", headers={"Accept": "text/html"})
            assert answer.status == 404, f"{project}/{place}: {answer.status}"
            texts.setdefault(place, set()).add(re.sub(rf"{project}|content=\"[^\"]*\"", "", answer.text()))
    different = [place for place, seen in texts.items() if len(seen) > 1]
    assert not different, f"what does not exist looks different from what is not one's own: {different}"
    token = {"X-CSRF-Token": stranger.csrf()}
    for place, method in changes.items():
        refused = stranger.ask(method, f"/projects/default/{place}", headers=token, data="")
        assert refused.status == 404, f"{method} {place}: {refused.status}: {refused.text()}"
    # Nor do things of another project show up below one's own.
    for place in (training, f"{training}/log/lines", f"experiments/{console.experiment}"):
        assert stranger.ask("GET", place).status == 404, place
    compared = stranger.ask("GET", f"trainings/compare/curves?id={training.rsplit('/', 1)[1]}")
    assert compared.json() == {"charts": []}, compared.text()


def test_switching_the_project(console, windows):
    """The switcher leads to the other project; what one makes there is there and not here."""
    user = new_user(console.server, "member")
    site(console.server).call("PUT", f"/v1.0/users/{user}", json={"roles": {"other": "viewer"}})
    window = windows(console.server, user)
    window.open("experiments")
    switcher = window.page.locator(".switcher").first
    switcher.locator("summary").click()
    expect(switcher.locator("[aria-current]")).to_have_text("default")
    switcher.get_by_role("link", name="other").click()
    window.page.wait_for_url("**/projects/other")
    expect(switcher.locator("summary")).to_contain_text("other")
    window.page.get_by_role("link", name="Experiments").click()
    expect(window.page.locator("main")).to_contain_text("No experiments yet")
    assert window.page.get_by_role("link", name="Create experiment").count() == 0, "a viewer there may create"


def test_a_new_project(admin, console):
    name = unique("vision")
    admin.open("/administration/projects")
    admin.fill(appKey=name)
    admin.submit("Create project")
    expect(admin.toast()).to_contain_text(f"Project {name} created")
    admin.page.get_by_role("link", name=name, exact=True).click()
    assert admin.heading() == "Dashboard"
    admin.page.get_by_role("link", name="Storage", exact=True).click()
    expect(admin.main).to_contain_text("easymaker")
    for wrong in (name, "a/b", ""):
        admin.open("/administration/projects")
        admin.fill(appKey=wrong)
        admin.submit("Create project")
        expect(admin.error_of("appKey")).not_to_be_empty()
        expect(admin.field("appKey")).to_have_value(wrong)


# MARK: - One's own account


def make_token(window: Window, role: str = "Member") -> str:
    window.open("/account")
    window.fill(label=unique("laptop"))
    window.field("role").select_option(label=role)
    window.submit("Create token")
    secret = window.page.locator("#secret pre").inner_text()
    window.open("/account")
    assert secret not in window.page.content(), "the secret is shown again"
    return secret


def test_a_personal_token(console, windows):
    """It works with the API as long as its owner could do the same, and stops when it is revoked."""
    user = new_user(console.server, "member")
    window = windows(console.server, user)
    secret = make_token(window)
    mine = API(console.server, secret)
    mine.create_experiment()
    mine.refused("GET", "/v1.0/users", 403)
    foreign = API(console.server, secret, project="other")
    foreign.refused("GET", "experiments", 404)

    admin_site = site(console.server)
    admin_site.call("PUT", f"/v1.0/users/{user}", json={"roles": {"default": "viewer"}})
    mine.get("experiments")
    mine.refused("POST", "experiments", 403, json={"experimentName": unique("x")})
    admin_site.call("PUT", f"/v1.0/users/{user}", json={"roles": {"default": None}})
    assert mine.request("GET", "experiments").status_code in (401, 404), "the token works without the role"
    admin_site.call("PUT", f"/v1.0/users/{user}", json={"roles": {"default": "member"}})
    mine.get("experiments")

    dialog = window.page.locator("dialog")
    window.open("/account")
    window.page.get_by_role("link", name=re.compile("^Revoke")).click()
    expect(dialog).to_contain_text("Revoke token laptop")
    dialog.get_by_role("button", name="Revoke").click()
    expect(window.toast()).to_contain_text("The token is revoked")
    mine.refused("GET", "experiments", 401)


def test_tokens_that_nobody_can_give_themselves(console, windows):
    """No more than one's own role, in one's own projects; what was typed stays."""
    window = windows(console.server, new_user(console.server, "viewer"))
    window.open("/account")
    window.fill(label="greedy")
    window.field("role").select_option(label="Member")
    window.submit("Create token")
    expect(window.error_of("role")).to_contain_text("is more than your own role there, Viewer")
    expect(window.field("label")).to_have_value("greedy")
    for form, field in (
        ({"label": "x", "project": "other", "role": "viewer"}, "project"),
        ({"label": "", "project": "default", "role": "viewer"}, "label"),
        ({"label": "x", "project": "default", "role": "viewer", "days": "0"}, "days"),
        ({"label": "x", "project": "default", "role": "root"}, "role"),
    ):
        answer = window.send("/account/tokens", form)
        assert answer.status == 422 and f'id="field-{field}-error"' in answer.text(), f"{form}: {answer.status}"
    window.open("/account")
    expect(window.main).to_contain_text("None yet.")


def test_somebody_elses_token_cannot_be_revoked(console, windows):
    owner = windows(console.server, new_user(console.server))
    secret = make_token(owner)
    place = owner.page.get_by_role("link", name=re.compile("^Revoke")).get_attribute("href")
    stranger = windows(console.server, new_user(console.server))
    stranger.open("/account")
    assert stranger.ask("GET", place).status == 404
    assert stranger.send(place).status == 404
    API(console.server, secret).get("experiments")


def test_changing_the_password_ends_other_sessions(console, windows):
    user = new_user(console.server, password=PASSWORD)
    # By password: who comes by a one-time link need not know it.
    here, there = (windows(console.server, user=None) for _ in range(2))
    for window in (here, there):
        window.page.goto("/login")
        window.log_in_with_password(user, PASSWORD)
        window.page.wait_for_url("**/projects/default")
    link = console.server.command("login", "--user", user).stdout.strip()
    there.open("/account")
    here.open("/account")
    here.fill(current="not it, not it", password=PASSWORD + "!", repeated=PASSWORD + "!")
    here.submit("Set password")
    expect(here.error_of("current")).to_have_text("is not your current password")
    there.open("/account")
    here.fill(current=PASSWORD, password=PASSWORD + "!", repeated=PASSWORD + "!")
    here.submit("Set password")
    expect(here.toast()).to_contain_text("The password is set")
    here.open("/account")
    there.page.goto("/account")
    expect(there.page).to_have_url(re.compile("/login"))
    there.page.goto(link)
    assert "has been used or has expired" in there.text(), "a link of before the change still logs in"
    there.page.goto("/login")
    there.log_in_with_password(user, PASSWORD)
    expect(there.page.get_by_role("alert")).to_contain_text("wrong")
