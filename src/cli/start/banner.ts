export interface BannerFacts {
  readonly page: number;
  readonly kubeconfig: string;
  readonly gitPort: number;
  readonly sshConfig: string;
  readonly user: string;
}

/** What to look at and what to try; the last line is for scripts. */
export function banner({ page, kubeconfig, gitPort, sshConfig, user }: BannerFacts): string {
  const pageUrl = `http://localhost:${page}/`;
  const git = `ssh://${user}@localhost:${gitPort}/home/${user}`;
  return `
Git is the source of truth now. Look at it:

  page        ${pageUrl}
  kubectl     export KUBECONFIG=${kubeconfig}
              kubectl get pods -A
  git         export GIT_SSH_COMMAND="ssh -F ${sshConfig}"
              git clone ${git}/flux-system.git    (what is installed)
              git clone ${git}/flux-cluster.git   (what the cluster's admins run)
              git clone ${git}/flux-tenant.git    (what the tenant dev-team runs)

Try a change, and watch it roll out on the page:

  git clone ${git}/flux-tenant.git && cd flux-tenant
  sed -i.bak s/local-test:v1/local-test:v2/ backend/nginx-deployment.yaml
  git commit -m "Use v2" backend/nginx-deployment.yaml && git push
  kubectl port-forward -n backend svc/nginx-test 8080     (then open http://localhost:8080)

And back again:

  git revert --no-edit HEAD && git push

Ctrl-C stops everything; the next start goes on from here, "npm start -- --fresh" begins anew.

ready page=${pageUrl} kubeconfig=${kubeconfig} git=${git}
`;
}
