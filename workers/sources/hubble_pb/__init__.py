"""Generated code of the part of Hubble's wire format that triage reads."""
