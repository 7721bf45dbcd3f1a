/* What a role may bring at the entry, as the policy says it. The token says it for good. */

import type { Policy, Role, Source } from "../../api/types";

export function mayBring(role: Role, policy: Policy, source: Source): boolean {
  if (role === "moderator") return true;
  if (role === "viewer") return false;
  const who = { microphone: policy.speak, camera: policy.camera, screen: policy.share }[source];
  return who === "everyone";
}
