"""What the NetworkPolicies let a worker reach, worked out from the rules as Kubernetes reads them."""

import ipaddress

import pod_rules
import pytest


def policies_of(manifests, component):
    labels = {"app.kubernetes.io/part-of": "curate", "app.kubernetes.io/component": component}
    policies = [m["spec"] for m in manifests if m["kind"] == "NetworkPolicy"]
    return [p for p in policies if p["podSelector"]["matchLabels"].items() <= labels.items()]


def admits(block, address):
    inside = address in ipaddress.ip_network(block["cidr"])
    return inside and not any(address in ipaddress.ip_network(net) for net in block.get("except", []))


def reaches(manifests, component, address, port):
    """Whether any egress rule lets a pod of this component open `port` at an address outside the cluster."""
    address = ipaddress.ip_address(address)
    rules = [rule for p in policies_of(manifests, component) for rule in p.get("egress", [])]
    rules = [r for r in rules if "ports" not in r or any(p["port"] == port for p in r["ports"])]
    targets = [rule.get("to", [{"ipBlock": {"cidr": f"{address}"}}]) for rule in rules]
    return any(admits(to["ipBlock"], address) for rule in targets for to in rule if "ipBlock" in to)


PRIVATE = [
    "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.31.255.255", "192.168.1.1", "0.0.0.0",
    "::1", "fd00:ec2::254", "fe80::1", "64:ff9b::a9fe:a9fe",
]  # fmt: skip


@pytest.mark.parametrize("component", ["worker", "submitter"])
@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_out_of_reach(manifests, component, address):
    assert not reaches(manifests, component, address, 80)
    assert not reaches(manifests, component, address, 443)


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700:4700::1111"])
def test_public_addresses_are_reached_on_the_ports_of_the_web_only(manifests, address):
    assert reaches(manifests, "worker", address, 80)
    assert reaches(manifests, "worker", address, 443)
    assert not reaches(manifests, "worker", address, 22)


def test_only_the_head_reaches_an_api_server_at_a_private_address(manifests):
    assert reaches(manifests, "head", "10.0.0.1", 6443)
    assert not reaches(manifests, "worker", "10.0.0.1", 6443)


def test_everything_is_closed_both_ways_unless_a_rule_opens_it(manifests):
    for template in pod_rules.pod_templates(manifests).values():
        policies = policies_of(manifests, template["metadata"]["labels"]["app.kubernetes.io/component"])
        assert {kind for p in policies for kind in p["policyTypes"]} == {"Ingress", "Egress"}
        sources = [source for p in policies for rule in p.get("ingress", []) for source in rule["from"]]
        assert sources
        assert all("podSelector" in source for source in sources)
