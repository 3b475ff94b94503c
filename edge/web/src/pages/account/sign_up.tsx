import { type FormEvent, useState } from "react";
import { useApi } from "../../api/hooks";
import { useCommand } from "../../api/use_command";
import { Button } from "../../components/button";
import { Field } from "../../components/field";
import { useTitle } from "../../components/use_title";
import { destinationAfterSignIn, Link, navigate } from "../../router";
import { Entrance, FormProblem } from "./entrance";

/** Creates an account and signs its owner in. */
export function SignUpPage() {
  useTitle("Create an account");
  const { auth, session } = useApi();
  const [displayName, setDisplayName] = useState("");
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const register = useCommand(async () => {
    session.adopt((await auth.register({ email, password, displayName })).session);
    navigate(destinationAfterSignIn(), { replace: true });
  });
  const problems = register.failure?.fields ?? {};
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void register.run(undefined);
  };
  return (
    <Entrance
      title="Join the bidding"
      other={
        <>
          Been here before? <Link href={`/sign-in${window.location.search}`}>Sign in</Link>
        </>
      }
    >
      <form onSubmit={submit}>
        <Field
          label="Name"
          name="name"
          autoComplete="nickname"
          hint="Sellers' names are shown; bidders appear under an alias."
          required
          maxLength={50}
          value={displayName}
          onChange={(event) => setDisplayName(event.target.value)}
          problem={problems.display_name}
        />
        <Field
          label="E-mail"
          type="email"
          name="email"
          autoComplete="email"
          required
          value={email}
          onChange={(event) => setEmail(event.target.value)}
          problem={problems.email}
        />
        <Field
          label="Password"
          type="password"
          name="password"
          autoComplete="new-password"
          hint="10 characters or more."
          required
          minLength={10}
          maxLength={128}
          value={password}
          onChange={(event) => setPassword(event.target.value)}
          problem={problems.password}
        />
        <FormProblem failure={register.failure} />
        <Button type="submit" wide busy={register.busy}>
          Create account
        </Button>
      </form>
    </Entrance>
  );
}
