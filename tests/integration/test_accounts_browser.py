"""Accounts in a real browser: from `labelloop users add` over an invitation to the first answer."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import NEEDED, barriers, eventually, keep, opened, sticks_out
from click.testing import CliRunner
from review_house import PASSWORD, House, served

from daemon import cli
from daemon.core.account_rows import Actor, Role, Scope
from daemon.core.account_secrets import digest

pytestmark = NEEDED

WIDTHS = {"desk": (1280, 800), "phone": (390, 844)}
CONFIG = """
task: {name: sms, classes: [ham, spam]}
tiers: {crowd: {price: 0.05}, expert: {final: true}}
"""
SHOWN = "#item[data-question]"


def _login(page, name: str, first: str) -> None:
    page.goto("/login")
    page.fill("#name", name)
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector(first)


def _users(house: House, *arguments: str) -> str:
    """What `labelloop users` says about the house's database."""
    folder = Path(str(house.database.url.database)).parent
    (folder / "labelloop.yaml").write_text(f"{CONFIG}database: {{url: 'sqlite:///{folder}/labelloop.db'}}\n")
    file = str(folder / "labelloop.yaml")
    done = CliRunner().invoke(cli.main, ["-q", "users", *arguments, "-c", file])
    assert done.exit_code == 0, done.output
    return done.output


def _accept(page, link: str, name: str | None) -> None:
    page.goto(link)
    page.wait_for_selector("#accept:not([hidden])")
    if name is not None:
        page.fill("#name", name)
    page.fill("#password", PASSWORD)
    page.fill("#password-again", PASSWORD)
    page.keyboard.press("Enter")


@pytest.mark.parametrize("come", [True, False])
def test_a_form_that_is_sent_before_its_scripts_have_come(house: House, browser, come: bool) -> None:
    """They send it when they are there. The browser's own way would put the password into the address."""
    house.add_account("root", Role.ADMIN, ["expert"])
    held: list[Any] = []
    asked: list[str] = []
    with served(house.app()) as address, opened(browser, address) as page:
        page.on("request", lambda request: asked.append(request.url))
        page.route("**/static/forms.js", lambda route: held.append(route))  # noqa: PLW0108 - Playwright marks it
        with page.expect_request("**/static/forms.js"):
            page.goto("/login", wait_until="commit")
        page.fill("#name", "root")
        page.fill("#password", PASSWORD)
        page.keyboard.press("Enter")
        if come:
            held[0].continue_()
            page.wait_for_url("**/review")
        else:
            with page.expect_response("**/login"):
                held[0].abort()
    assert not [url for url in asked if "password=" in url]


def test_from_users_add_over_an_invitation_to_the_first_answer(house: House, browser) -> None:
    house.ask(["win a prize now", "see you at eight"])
    link = re.search(r"/invitation#\S+", _users(house, "add", "root", "--role", "admin"))
    assert link is not None
    with served(house.app()) as address:
        with opened(browser, address) as admin:
            _accept(admin, link[0], None)
            admin.wait_for_selector("#enter")
            admin.click("nav >> text=People")
            admin.select_option("#invite-role", "expert")
            admin.check("form[data-call='/api/people/invite'] input[value=expert]")
            admin.click("text=Make an invitation")
            admin.wait_for_selector("[data-value=path]:visible")
            shown = str(admin.text_content("[data-value=path]"))
            assert shown.startswith(f"{address}/invitation#")
        with opened(browser, address) as guest:
            _accept(guest, shown, "Gus")
            guest.wait_for_selector(SHOWN)
            assert guest.text_content("#item p") == "win a prize now"
            assert "Gus" in guest.text_content(".status-line")
            assert guest.locator("nav >> text=Dashboard").count() == 0
            guest.keyboard.press("2")
            eventually(lambda: house.standing_answers() == {"item-00": "spam"})
        with opened(browser, address) as late:
            late.goto(shown)
            late.wait_for_selector("text=This invitation was used")


def test_signing_in_leads_to_the_page_that_was_wanted(house: House, browser) -> None:
    house.ask(["one"])
    house.add_account("lea", Role.LEAD, [])
    with served(house.app()) as address, opened(browser, address) as page:
        page.goto("/items/item-00")
        page.wait_for_selector("h1:has-text('Sign in')")
        page.fill("#name", "lea")
        page.fill("#password", "wrong wrong wrong")
        page.keyboard.press("Enter")
        page.wait_for_selector(".problem:visible")
        assert "name or password is wrong" in page.text_content(".problem")
        page.fill("#password", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_selector("h1:has-text('item-00')")


def test_a_queue_is_chosen_and_entered_by_keyboard(house: House, browser) -> None:
    house.ask(["one"])
    house.add_account("lea", Role.LEAD, ["crowd", "expert"])
    with served(house.app()) as address, opened(browser, address) as page:
        _login(page, "lea", "text=Choose a queue")
        page.wait_for_selector("[value=expert]:checked")  # where most waits
        page.keyboard.press("Enter")
        page.wait_for_selector(SHOWN)


def test_answers_wait_on_the_page_while_somebody_is_signed_out(house: House, browser) -> None:
    house.ask(["one", "two", "three"])
    account = house.add_account("ann")
    desk = house.services.desk
    with served(house.app()) as address, opened(browser, address) as page:
        _login(page, "ann", SHOWN)
        for session in desk.sessions.sessions(account.id):
            desk.sessions.close(account.id, session.id, Actor("test"))
        page.keyboard.press("1")
        page.wait_for_selector("#notice:has-text('You are signed out')")
        assert house.standing_answers() == {}
        again = page.context.new_page()
        _login(again, "ann", SHOWN)
        eventually(lambda: house.standing_answers() == {"item-00": "ham"})
        page.wait_for_selector("#notice", state="hidden")


def test_ones_own_account(house: House, browser) -> None:
    house.add_account("ann")
    with served(house.app()) as address, opened(browser, address) as page:
        _login(page, "ann", "#desk")
        page.click("nav >> text=ann")
        page.fill("#token-name", "my script")
        page.click("text=Make a token")
        page.wait_for_selector("[data-value=token]:visible")
        caller = house.services.desk.sessions.by_token(digest(str(page.text_content("[data-value=token]"))))
        assert caller is not None and caller.account.name == "ann"
        page.reload()
        page.click("button:has-text('Revoke')")
        page.wait_for_selector("text=my script", state="detached")
        page.fill("#old", PASSWORD)
        page.fill("#new", "a better password")
        page.fill("#new-again", "a better passwort")
        page.click("text=Change password")
        assert page.evaluate("document.getElementById('new-again').validationMessage") != ""
        page.fill("#new-again", "a better password")
        page.click("text=Change password")
        page.wait_for_selector("text=Your password is changed")
        page.click("text=Sign out")
        page.wait_for_selector("h1:has-text('Sign in')")
        page.goto("/account")
        page.wait_for_selector("h1:has-text('Sign in')")


def test_an_admin_changes_rights_and_locks_out(house: House, browser) -> None:
    house.add_account("root", Role.ADMIN, ["expert"])
    house.add_account("ann", Role.REVIEWER, ["crowd"])
    accounts = house.services.desk.accounts
    with served(house.app()) as address, opened(browser, address) as page:
        _login(page, "root", "#desk")
        page.goto("/people")
        page.click("summary[aria-label='Change ann']")
        row = page.locator("tr", has_text="ann").first
        row.locator("select").select_option("expert")
        row.locator("input[value=expert]").check()
        row.locator("text=Save").click()
        eventually(lambda: _rights(accounts, "ann") == (Role.EXPERT, ("crowd", "expert"), "active"))
        page.wait_for_selector("td:has-text('rights changed')")
        page.click("summary[aria-label='Change root']")
        page.click("text=Disable root")
        page.wait_for_selector(".problem:visible:has-text('root is the only admin')")
        page.click("summary[aria-label='Change ann']")
        page.click("text=Disable ann")
        page.wait_for_selector("td:has-text('account disabled')")
        assert _rights(accounts, "ann")[2] == "disabled"


def _rights(accounts, name: str) -> tuple[Role, tuple[str, ...], str]:
    account = accounts.find(name).account
    return account.role, account.tiers, account.state.value


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A house with people, tokens and invitations of every kind."""
    house = House(tmp_path_factory.mktemp("house"))
    root = house.add_account("root", Role.ADMIN, ["crowd", "expert"])
    house.add_account("Wolfgang Amadeus Theophilus Mozart", Role.REVIEWER, ["crowd"])
    house.add_account("lea", Role.LEAD, [])
    desk = house.services.desk
    by = Actor("root", "2001:db8:1234:5678:9abc:def0:1234:5678")
    desk.sessions.add_token(root.id, "nightly report", [Scope.READ, Scope.ANSWER], digest("1"), by)
    desk.sessions.open(root.id, digest("2"), "192.0.2.7", "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0")
    from daemon.core.account_rows import Grant

    desk.accounts.invite(Grant(Role.EXPERT, ("crowd", "expert"), "Ann Müller"), digest("3"), by)
    desk.accounts.invite(Grant(Role.REVIEWER, ("crowd",)), digest("4"), by)
    with served(house.app()) as where:
        yield where
    house.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("device", WIDTHS)
def test_pages_of_accounts_are_open_to_everybody(browser, busy: str, scheme: str, device: str) -> None:
    width, height = WIDTHS[device]
    found: dict[str, list[str]] = {}
    with opened(browser, busy, color_scheme=scheme, viewport={"width": width, "height": height}) as page:

        def look(name: str) -> None:
            keep(page, f"{name}-{scheme}-{device}")
            found[name] = [*barriers(page), *sticks_out(page)]

        page.goto("/login")
        look("login")
        page.goto("/invitation#4")
        page.wait_for_selector("#accept:not([hidden])")
        look("invitation")
        page.goto("/invitation#5")
        page.wait_for_selector("#about.problem")
        look("no-invitation")
        _login(page, "root", "#enter")
        look("queues")
        page.goto("/account")
        look("account")
        page.goto("/people")
        page.click("summary >> nth=0")
        look("people")
        page.context.clear_cookies()
        _login(page, "lea", "text=You answer in no queue")
        look("no-queue")
    assert {name: problems for name, problems in found.items() if problems} == {}
