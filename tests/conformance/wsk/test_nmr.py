"""Attaching and detaching through the Network Module Registrar (WSK-1.6)."""

from __future__ import annotations

import pytest

from tests.support.nmr_module import Module, registered
from tests.support.wsk_lab import Lab, ok, start
from tests.support.wsk_registration import after, at_level, await_change, misused
from wsknet.drivers.base import DeadlockError
from wsknet.types import SECOND
from wsknet.wsk import (
    DISPATCH_LEVEL,
    GUID,
    MIT_GUID,
    NPI_WSK_INTERFACE_ID,
    NTSTATUS,
    PASSIVE_LEVEL,
    STATUS_CANCELLED,
    STATUS_INSUFFICIENT_RESOURCES,
    STATUS_INVALID_PARAMETER,
    STATUS_NOINTERFACE,
    STATUS_PENDING,
    STATUS_SUCCESS,
    WSK_CLIENT_DISPATCH,
    WSK_PROVIDER_CHARACTERISTICS,
    WSK_PROVIDER_NPI,
    NmrClientAttachProvider,
    NmrClientDetachProviderComplete,
    NmrDeregisterClient,
    NmrWaitForClientDeregisterComplete,
    current_kernel,
    set_provider_ready,
    simple,
)

pytestmark = pytest.mark.usefixtures("lab")


# Attaching


@pytest.mark.rule("R-035", "R-036")
def test_a_client_is_attached_at_once_if_the_provider_is_there(lab: Lab) -> None:
    module = registered()

    assert (module.log, module.levels) == (["attach"], [PASSIVE_LEVEL])
    assert module.Dispatch.Version == 0x0100
    ok(simple.close(module.open().information))
    ok(simple.close(module.open(is_ipv6=True).information))


@pytest.mark.rule("R-035")
def test_a_client_is_attached_when_the_provider_comes(lab: Lab) -> None:
    set_provider_ready(lab.near, False)
    module = registered()
    lab.run()
    assert not module.log
    set_provider_ready(lab.near, True)
    lab.run()

    assert (module.log, module.levels) == (["attach"], [PASSIVE_LEVEL])
    ok(simple.close(module.open().information))
    set_provider_ready(lab.near, True)
    lab.run()
    assert module.log == ["attach"]


@pytest.mark.rule("R-035")
def test_a_client_of_another_interface_is_not_attached(lab: Lab) -> None:
    module = Module()
    module.characteristics.ClientRegistrationInstance.NpiId = GUID(1, 2, 3)
    assert module.register() == STATUS_SUCCESS
    set_provider_ready(lab.near, False)
    set_provider_ready(lab.near, True)
    lab.run()

    assert not module.log
    assert module.deregister() == STATUS_PENDING
    assert module.wait() == STATUS_SUCCESS


@pytest.mark.rule("R-024", "R-035")
def test_the_provider_says_who_it_is() -> None:
    instance = registered().instance

    assert instance.NpiId == NPI_WSK_INTERFACE_ID
    assert instance.ModuleId is not None
    assert instance.ModuleId.Type == MIT_GUID
    found = instance.NpiSpecificCharacteristics
    assert isinstance(found, WSK_PROVIDER_CHARACTERISTICS)
    assert (found.LowestVersion, found.HighestVersion) == (0x0100, 0x0100)


@pytest.mark.rule("R-037")
def test_another_version_may_be_tried() -> None:
    module = registered(versions=[0x0200, 0x0109, 0x0100])

    assert module.attach_statuses == [STATUS_NOINTERFACE, STATUS_NOINTERFACE, STATUS_SUCCESS]
    ok(simple.close(module.open().information))


@pytest.mark.rule("R-037")
@pytest.mark.parametrize("options", [{"versions": [0x0200]}, {"declines": True}])
def test_a_client_that_does_not_attach_is_not_asked_again(lab: Lab, options: dict[str, object]) -> None:
    module = registered(**options)
    set_provider_ready(lab.near, True)
    lab.run()
    assert module.log == ["attach"]
    set_provider_ready(lab.near, False)
    set_provider_ready(lab.near, True)
    lab.run()
    assert module.log == ["attach", "attach"]

    assert module.deregister() == STATUS_PENDING
    assert module.wait() == STATUS_SUCCESS
    assert "detach" not in module.log
    assert "cleanup" not in module.log


def test_a_registration_may_fail() -> None:
    current_kernel().allocation_fails = lambda function: function == "NmrRegisterClient"
    module = Module()

    assert module.register() == STATUS_INSUFFICIENT_RESOURCES
    assert not module.log


@pytest.mark.parametrize(
    ("attribute", "value"),
    [("Version", 1), ("Length", 0), ("ClientAttachProvider", None), ("ClientDetachProvider", None)],
)
def test_characteristics_are_checked(attribute: str, value: object) -> None:
    module = Module()
    setattr(module.characteristics, attribute, value)

    assert module.register() == STATUS_INVALID_PARAMETER


@pytest.mark.parametrize(("attribute", "value"), [("Version", 1), ("Size", 0), ("NpiId", None), ("ModuleId", None)])
def test_the_registration_instance_is_checked(attribute: str, value: object) -> None:
    module = Module()
    setattr(module.characteristics.ClientRegistrationInstance, attribute, value)

    assert module.register() == STATUS_INVALID_PARAMETER


@pytest.mark.rule("R-030")
def test_the_reserved_member_of_the_client_dispatch_is_checked() -> None:
    statuses: list[NTSTATUS] = []
    module = Module()

    def attach() -> None:
        for wrong in (None, WSK_CLIENT_DISPATCH(0x0100, 1)):
            statuses.append(NmrClientAttachProvider(module.bindings[0], None, wrong, [], []))

    module.in_attach = attach
    module.register()

    assert statuses == [STATUS_INVALID_PARAMETER] * 2


@pytest.mark.rule("R-036")
def test_attaching_is_for_the_attach_callback_and_passive_level() -> None:
    module = registered()
    with misused("WSK-1.6"):
        NmrClientAttachProvider(module.bindings[0], None, WSK_CLIENT_DISPATCH(), [], [])
    with at_level(DISPATCH_LEVEL):
        with misused("WSK-1.6"):
            Module().register()
        with misused("WSK-1.6"):
            NmrClientAttachProvider(module.bindings[0], None, WSK_CLIENT_DISPATCH(), [], [])


@pytest.mark.rule("R-036")
def test_the_attach_callback_must_tell_the_truth() -> None:
    module = Module()
    module.characteristics.ClientAttachProvider = lambda *arguments: STATUS_SUCCESS

    with misused("WSK-1.6"):
        module.register()


# Detaching


@pytest.mark.rule("R-038", "R-041")
def test_deregistration_detaches_and_cleans_up() -> None:
    module = registered()

    assert module.deregister() == STATUS_PENDING
    assert module.wait() == STATUS_SUCCESS
    assert module.log == ["attach", "detach", "cleanup"]
    assert all(level <= DISPATCH_LEVEL for level in module.levels)


@pytest.mark.rule("R-041")
def test_cleanup_is_optional() -> None:
    module = Module()
    module.characteristics.ClientCleanupBindingContext = None
    module.register()
    module.deregister()

    assert module.wait() == STATUS_SUCCESS
    assert module.log == ["attach", "detach"]


def test_deregistration_at_dispatch_level() -> None:
    module = registered()
    with at_level(DISPATCH_LEVEL):
        assert module.deregister() == STATUS_PENDING
        with misused("R-071"):
            module.wait()
    assert module.wait() == STATUS_SUCCESS


@pytest.mark.rule("R-042")
def test_waiting_is_for_a_client_that_deregisters() -> None:
    module = registered()
    assert module.wait() == STATUS_INVALID_PARAMETER
    assert NmrWaitForClientDeregisterComplete(None) == STATUS_INVALID_PARAMETER
    module.deregister()
    assert module.wait() == STATUS_SUCCESS

    assert module.wait() == STATUS_INVALID_PARAMETER
    assert module.deregister() == STATUS_INVALID_PARAMETER
    assert NmrDeregisterClient(None) == STATUS_INVALID_PARAMETER


def test_a_client_deregisters_once() -> None:
    module = registered()
    module.deregister()

    with misused("WSK-1.6"):
        module.deregister()


@pytest.mark.rule("R-039", "R-041")
def test_a_client_may_detach_later(lab: Lab) -> None:
    module = registered(in_detach=lambda: STATUS_PENDING)
    after(3, lambda: NmrClientDetachProviderComplete(module.bindings[0]))
    before = lab.network.driver.now()
    assert module.deregister() == STATUS_PENDING
    assert module.log == ["attach", "detach"]
    Socket = module.open().information
    ok(simple.close(Socket))

    assert module.wait() == STATUS_SUCCESS
    assert lab.network.driver.now() - before == 3 * SECOND
    assert module.log == ["attach", "detach", "cleanup"]


@pytest.mark.rule("R-039")
def test_a_client_may_have_detached_before_it_has_answered() -> None:
    """What it waits for may end in another thread just then."""
    module = Module()

    def detach() -> NTSTATUS:
        NmrClientDetachProviderComplete(module.bindings[0])
        assert module.log == ["attach", "detach"]
        return STATUS_PENDING

    module.in_detach = detach
    module.register()
    module.deregister()

    assert module.wait() == STATUS_SUCCESS
    assert module.log == ["attach", "detach", "cleanup"]


@pytest.mark.rule("R-039")
def test_completing_a_detachment_that_is_not_pending() -> None:
    module = registered()
    with misused("R-039"):
        NmrClientDetachProviderComplete(module.bindings[0])
    module.deregister()
    with misused("R-039"):
        NmrClientDetachProviderComplete(module.bindings[0])

    twice = registered(in_detach=lambda: STATUS_PENDING)
    twice.deregister()
    NmrClientDetachProviderComplete(twice.bindings[0])
    with misused("R-039"):
        NmrClientDetachProviderComplete(twice.bindings[0])


@pytest.mark.rule("R-039")
def test_completing_a_detachment_and_answering_success() -> None:
    module = Module()

    def detach() -> NTSTATUS:
        NmrClientDetachProviderComplete(module.bindings[0])
        return STATUS_SUCCESS

    module.in_detach = detach
    module.register()

    with misused("R-039"):
        module.deregister()
    assert module.wait() == STATUS_SUCCESS


@pytest.mark.rule("R-040", "R-041")
def test_detachment_waits_for_every_socket_to_be_closed(lab: Lab) -> None:
    module = registered()
    first, second = module.open().information, module.open(is_ipv6=True).information
    after(2, lambda: start(first.Dispatch.WskCloseSocket, first))
    after(5, lambda: start(second.Dispatch.WskCloseSocket, second))
    before = lab.network.driver.now()
    module.deregister()
    ok(simple.bind(first, simple.address("0.0.0.0", 0)))
    lab.run(3)
    assert module.log == ["attach", "detach"]

    assert module.wait() == STATUS_SUCCESS
    assert lab.network.driver.now() - before == 5 * SECOND
    assert module.log == ["attach", "detach", "cleanup"]


@pytest.mark.rule("R-040")
def test_a_socket_that_is_never_closed_is_named_as_the_reason() -> None:
    module = registered()
    assert module.open().status == STATUS_SUCCESS
    module.deregister()

    with pytest.raises(DeadlockError, match="0 captures, 1 open sockets"):
        module.wait()


@pytest.mark.rule("R-017")
def test_no_function_of_the_provider_after_detaching() -> None:
    module = registered()
    module.deregister()

    with misused("R-017"):
        module.open()


@pytest.mark.rule("R-023")
def test_detaching_cancels_requests_for_a_change_of_transports() -> None:
    module = registered()
    request = await_change(WSK_PROVIDER_NPI(module.Client, module.Dispatch))
    module.deregister()

    assert request.status == STATUS_CANCELLED
    assert module.wait() == STATUS_SUCCESS


@pytest.mark.rule("R-038")
def test_deregistering_inside_the_attach_callback() -> None:
    """Detaching comes when attaching is over."""
    module = Module()

    def deregister() -> None:
        module.deregister()
        assert module.log == ["attach"]

    module.in_attach = deregister
    module.register()

    assert module.wait() == STATUS_SUCCESS
    assert module.log == ["attach", "detach", "cleanup"]
